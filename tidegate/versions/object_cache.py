"""The objects of a DVC cache: DVC believes that their bytes are what their names say, and lays them over outputs."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tidegate.documents.formats import remove


def remove_damaged(cache: Path, lock: Mapping[str, Any]) -> list[Path]:
    """Remove the objects of the outputs in dvc.lock whose bytes have another MD5 than their name; returns them."""
    outs = (out for stage in lock.get("stages", {}).values() for out in stage.get("outs", []))
    damaged = [path for path in dict.fromkeys(_objects(cache, (out.get("md5", "") for out in outs))) if _damaged(path)]
    remove(*damaged)
    return damaged


def _objects(cache: Path, names: Iterable[str]) -> Iterator[Path]:
    """The objects of these names that there are, and those that a list of files names."""
    for name in names:
        path = cache / "files" / "md5" / name[:2] / name[2:]
        if name and path.is_file():
            yield path
            if path.suffix == ".dir" and not _damaged(path):
                yield from _objects(cache, (entry["md5"] for entry in json.loads(path.read_bytes())))


def _damaged(path: Path) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() != f"{path.parent.name}{path.name.removesuffix('.dir')}"
