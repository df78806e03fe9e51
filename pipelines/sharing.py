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
GIVEN = ("secretAsEnv", "configMapAsEnv", "fieldPathAsEnv", "secretAsVolume", "configMapAsVolume", "pvcMount")


def container(parts: Sequence[Document], words: Mapping[str, Sequence[str]], thing: str) -> Document:
    """The container that runs the commands of all steps; InputError if their other settings differ."""
    own = ("args", "command", "resources")
    rest = [{key: value for key, value in part.items() if key not in own} for part in parts]
    counts = [f"{step}={len(command)}" for step, command in words.items()]
    return {
        **_same(rest, thing),
        "command": ["python", "-m", "tidegate.process.sequence", *counts, "--"],
        "args": [word for command in words.values() for word in command],
        "resources": _largest([part["resources"] for part in parts], thing),
    }


def settings(parts: Sequence[Document], thing: str) -> Document:
    """The Kubernetes settings of the shared pod; InputError for settings that differ and for duplicates."""
    rest = [{key: value for key, value in part.items() if key not in (*GIVEN, DEADLINE)} for part in parts]
    given = {key: _all(parts, key) for key in GIVEN if any(key in part for part in parts)}
    _check_once(given, thing)
    return {**_same(rest, thing), **given, DEADLINE: str(sum(int(part[DEADLINE]) for part in parts))}


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


def _largest(parts: Sequence[Document], thing: str) -> Document:
    known = {*AMOUNTS, *AMOUNTS.values()}
    found = _same([{key: value for key, value in part.items() if key not in known} for part in parts], thing)
    for number, text in AMOUNTS.items():
        largest = max(parts, key=lambda part: float(part.get(number, 0)))
        found |= {key: largest[key] for key in (number, text) if key in largest}
    return found


def _same(parts: Sequence[Document], thing: str) -> Document:
    for key in sorted({key for part in parts for key in part}):
        if any(part.get(key) != parts[0].get(key) for part in parts):
            raise refused(thing, f"the same {key} for all of them", "different ones")
    return dict(parts[0])


def _all(parts: Sequence[Document], key: str) -> list[Document]:
    entries: list[Document] = []
    for entry in (entry for part in parts for entry in part.get(key, [])):
        if entry not in entries:
            entries.append(entry)
    return entries


def _check_once(given: Mapping[str, Sequence[Document]], thing: str) -> None:
    """Raise InputError for a duplicate variable or folder, which Kubernetes refuses."""
    seen: set[str] = set()
    for entry in (entry for entries in given.values() for entry in entries):
        variables = [pair["envVar"] for pair in entry.get("keyToEnv", [])]
        for name in variables or [entry.get("mountPath") or entry["name"]]:
            if name in seen:
                raise refused(thing, "every variable and every folder from one place", f"{name} from two")
            seen.add(name)


def refused(thing: str, expected: str, found: str) -> InputError:
    """The error for steps that cannot share a pod."""
    return InputError(thing, expected, found, "change it, or do not fuse these steps")
