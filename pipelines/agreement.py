"""Checks of `cluster.yaml` that its JSON schema cannot express: requests and limits, names, variables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidegate.documents.schema import Fault, hint

UNITS = {"": 1.0, "m": 0.001, "M": 1e6, "G": 1e9, "T": 1e12, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def disagreements(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Every request above its limit, negative number of retries, undefined name, and duplicate.

    Names refer to `environment`, `volumes` or `steps`; duplicates are variables, folders or fused steps.
    """
    volumes = document.get("volumes", {})
    yield from _sources(volumes)
    yield from _fused(document.get("fuse", []), list(document["steps"]))
    sections: dict[tuple[str, ...], Any] = {("defaults",): document["defaults"]}
    sections |= {("steps", name): section for name, section in document["steps"].items()}
    for place, section in sections.items():
        yield from _amounts(place, section)
        yield from _variables(place, section.get("uses", []), document["environment"])
        yield from _folders(place, section.get("mounts", []), volumes)


def _amounts(place: tuple[str, ...], section: Mapping[str, Any]) -> Iterator[Fault]:
    for resource in ("cpu", "memory"):
        request, limit = (section.get(resource, {}).get(end, "0") for end in ("request", "limit"))
        if _size(request) > _size(limit):
            yield Fault((*place, resource), "a request within the limit", f"{request} of {limit}")
    times = section.get("retries", {}).get("times", 0)
    if times < 0:
        yield Fault((*place, "retries", "times"), "0 or more", str(times))


def _sources(volumes: Mapping[str, Any]) -> Iterator[Fault]:
    for name, volume in volumes.items():
        kinds = sorted(volume.keys() - {"at"})
        if len(kinds) != 1:
            yield Fault(("volumes", name), "one of secret, config_map and claim", " and ".join(kinds) or "none")


def _fused(groups: Sequence[Sequence[str]], names: Sequence[str]) -> Iterator[Fault]:
    members: set[str] = set()
    for number, steps in enumerate(groups):
        if len(steps) < 2:
            yield Fault(("fuse", number), "two steps or more", ", ".join(steps) or "none")
        for index, name in enumerate(steps):
            if name not in names:
                yield Fault(("fuse", number, index), f"one of {', '.join(names)}", hint(name, list(names)))
            elif name in members:
                yield Fault(("fuse", number, index), "every step once", f"{name} again")
            members.add(name)


def _folders(place: tuple[str, ...], mounts: Sequence[str], volumes: Mapping[str, Any]) -> Iterator[Fault]:
    folders: set[str] = set()
    for index, name in enumerate(mounts):
        location: tuple[str | int, ...] = (*place, "mounts", index)
        if name not in volumes:
            yield Fault(location, f"one of {', '.join(volumes) or 'the names of volumes'}", hint(name, list(volumes)))
        elif volumes[name]["at"] in folders:
            yield Fault(location, "every folder once", f"{volumes[name]['at']} again")
        else:
            folders.add(volumes[name]["at"])


def _variables(place: tuple[str, ...], uses: Sequence[str], groups: Mapping[str, Any]) -> Iterator[Fault]:
    variables: set[str] = set()
    for index, name in enumerate(uses):
        location: tuple[str | int, ...] = (*place, "uses", index)
        if name not in groups:
            yield Fault(location, f"one of {', '.join(groups)}", hint(name, list(groups)))
            continue
        for variable in _variables_of(groups[name]):
            if variable in variables:
                yield Fault(location, "every variable once", f"{variable} again")
            variables.add(variable)


def _variables_of(group: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("config_maps", "secrets"):
        for keys in group.get(kind, {}).values():
            yield from keys.values()


def _size(quantity: str) -> float:
    number, unit = re.findall(r"([\d.]+)(\D*)", quantity)[0]
    return float(number) * UNITS[unit]
