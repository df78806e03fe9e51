"""The sizes and times of files, by which an unchanged one is known without reading it, as DVC and git know it."""

import os
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tidegate.documents.formats import read_json
from tidegate.process.errors import InputError


def noted(file: Path) -> dict[str, Any]:
    """What a file says that only saves work; empty for none, and for one that cannot be read."""
    try:
        values = read_json(file)
    except (InputError, OSError):
        return {}
    return values if isinstance(values, dict) else {}


def stamp(paths: Iterable[Path]) -> str:
    """A digest of the sizes and times of these paths, of those that exist."""
    digest = sha256()
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            continue
        digest.update(os.fsencode(path.absolute()))
        digest.update(f"\0{state.st_ino} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def files(folder: Path, left_out: Callable[[Path], bool]) -> Iterator[Path]:
    """The files below a folder in a constant order, links followed, without the paths that are left out."""
    return _files(folder, left_out, set())


def _files(folder: Path, left_out: Callable[[Path], bool], entered: set[tuple[int, int]]) -> Iterator[Path]:
    state = folder.stat()
    if (state.st_dev, state.st_ino) in entered:  # by a link that leads back
        return
    entered.add((state.st_dev, state.st_ino))
    with os.scandir(folder) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        path = folder / entry.name
        if left_out(path):
            continue
        if entry.is_dir():
            yield from _files(path, left_out, entered)
        else:
            yield path
