"""The part of a lock that some packages need, with its hashes: the others of the lock are left out."""

import re
from collections.abc import Collection

ENTRY = re.compile(r"^(?=[\w.-]+(?:\[[\w,-]+\])?==)", re.MULTILINE)
NAME, VIA = re.compile(r"[\w.-]+"), re.compile(r"^    #(?: via)? +([\w.-]+)(?:\[.*\])?$", re.MULTILINE)


def cut(lock: str, roots: Collection[str]) -> str:
    """The entries of the packages and of all that they need, without comments."""
    entries = [text for text in ENTRY.split(lock) if ENTRY.match(text)]
    by = [(NAME.match(text)[0], {*VIA.findall(text)}, text) for text in entries]  # type: ignore[index]
    wanted = set(roots)
    while more := {name for name, needed_by, _ in by if needed_by & wanted} - wanted:
        wanted |= more
    return "".join(_plain(text) for name, _, text in by if name in wanted)


def _plain(entry: str) -> str:
    return "".join(f"{line}\n" for line in entry.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def pinned(requirements: str, roots: Collection[str]) -> list[str]:
    """The packages themselves with their versions, and the markers where there are several."""
    lines = (line.removesuffix("\\").strip() for line in requirements.splitlines())
    return [line for line in lines if (match := NAME.match(line)) and match[0] in roots]
