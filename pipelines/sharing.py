"""Merges the pod settings of fused steps: the largest resources, the sum of time-outs, all variables and volumes."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.documents.durations import seconds
from tidegate.process.errors import InputError

Document = dict[str, Any]
# kfp writes each amount twice: a number for older backends, a text for current ones.
AMOUNTS = {
    "cpuRequest": "resourceCpuRequest",
    "cpuLimit": "resourceCpuLimit",
    "memoryRequest": "resourceMemoryRequest",
    "memoryLimit": "resourceMemoryLimit",
}
DEADLINE = "activeDeadlineSeconds"
# Lists that are concatenated; all other settings must be equal.
LISTS = ("secretAsEnv", "configMapAsEnv", "fieldPathAsEnv", "secretAsVolume", "configMapAsVolume", "pvcMount")


def container(parts: Sequence[Document], words: Mapping[str, Sequence[str]], subject: str) -> Document:
    """The container that runs the commands of all steps; InputError if their other settings differ."""
    own = ("args", "command", "resources")
    others = [{key: value for key, value in part.items() if key not in own} for part in parts]
    counts = [f"{step}={len(command)}" for step, command in words.items()]
    return {
        **_shared(others, subject),
        "command": ["python", "-m", "tidegate.process.sequence", *counts, "--"],
        "args": [word for command in words.values() for word in command],
        "resources": _largest([part["resources"] for part in parts], subject),
    }


def settings(parts: Sequence[Document], subject: str) -> Document:
    """The Kubernetes settings of the shared pod; InputError for settings that differ and for duplicates."""
    others = [{key: value for key, value in part.items() if key not in (*LISTS, DEADLINE)} for part in parts]
    lists = {key: _all(parts, key) for key in LISTS if any(key in part for part in parts)}
    _check_once(lists, subject)
    return {**_shared(others, subject), **lists, DEADLINE: str(sum(int(part[DEADLINE]) for part in parts))}


def retries(policies: Sequence[Document], deadline: int) -> Document:
    """Argo's retry policy for a lost pod, the maximum over all steps; `deadline` is the seconds of one pod."""
    times = max(policy["maxRetryCount"] for policy in policies)
    wait = max(seconds(policy["backoffDuration"]) for policy in policies)
    factor = max(policy["backoffFactor"] for policy in policies)
    waits = sum(wait * factor**number for number in range(times))
    return {
        "maxRetryCount": times,
        "backoffDuration": f"{wait}s",
        "backoffFactor": factor,
        "backoffMaxDuration": f"{deadline * (times + 1) + waits:.0f}s",
    }


def _largest(parts: Sequence[Document], subject: str) -> Document:
    amounts = {*AMOUNTS, *AMOUNTS.values()}
    merged = _shared([{key: value for key, value in part.items() if key not in amounts} for part in parts], subject)
    for number, text in AMOUNTS.items():
        largest = max(parts, key=lambda part: float(part.get(number, 0)))
        merged |= {key: largest[key] for key in (number, text) if key in largest}
    return merged


def _shared(parts: Sequence[Document], subject: str) -> Document:
    for key in sorted({key for part in parts for key in part}):
        if any(part.get(key) != parts[0].get(key) for part in parts):
            raise refused(subject, f"the same {key} for all of them", "different ones")
    return dict(parts[0])


def _all(parts: Sequence[Document], key: str) -> list[Document]:
    entries: list[Document] = []
    for entry in (entry for part in parts for entry in part.get(key, [])):
        if entry not in entries:
            entries.append(entry)
    return entries


def _check_once(lists: Mapping[str, Sequence[Document]], subject: str) -> None:
    """Raise InputError for a duplicate variable or folder, which Kubernetes refuses."""
    places: set[str] = set()
    for entry in (entry for entries in lists.values() for entry in entries):
        variables = [pair["envVar"] for pair in entry.get("keyToEnv", [])]
        for name in variables or [entry.get("mountPath") or entry["name"]]:
            if name in places:
                raise refused(subject, "every variable and every folder from one place", f"{name} from two")
            places.add(name)


def refused(subject: str, expected: str, found: str) -> InputError:
    """The error for steps that cannot share a pod."""
    return InputError(subject, expected, found, "change it, or do not fuse these steps")
