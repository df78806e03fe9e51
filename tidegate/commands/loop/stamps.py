"""Whether a file changed since DVC found everything up to date, by size and times as DVC itself tells it.

To ask DVC costs seconds of imports, in a workspace in which nothing happened.
"""

import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tidegate.documents.formats import read_json, read_text, write_json
from tidegate.process import code

FILE, LOCK = Path("artifacts", "unchanged.json"), Path("dvc.lock")
# What a run writes and DVC does not look at; folders whose names begin with a dot are left out as well.
LEFT_OUT = {"__pycache__", "mlartifacts", "mlflow.db", "mlflow.db.lock", "registry.json", FILE.name}
DVC = (Path(".dvc/config"), Path(".dvc/config.local"), *(Path(".dvc/cache/files/md5", f"{n:02x}") for n in range(256)))


def now() -> str:
    """A digest of the sizes and times of all files of the workspace, of DVC's settings and cache, and of Tidegate."""
    found = sha256(os.fsencode(Path.cwd()))
    for path in (*_files(Path(), set()), *DVC, *_files(code.ROOT, set())):
        try:
            state = path.stat()
        except OSError:
            continue
        found.update(os.fsencode(path))
        found.update(f"\0{state.st_ino} {state.st_size} {state.st_mtime_ns}\n".encode())
    return found.hexdigest()


def up_to_date(stamp: str) -> bool:
    """Whether DVC found nothing to do when the workspace had this stamp."""
    return FILE.exists() and read_json(FILE).get("stamp") == stamp


def remember(stamp: str) -> None:
    """Note that DVC, asked after the stamp was taken, found nothing to do; it alone can look at files elsewhere."""
    if not (LOCK.exists() and re.search(r"path: \w+://", read_text(LOCK))):
        write_json(FILE, {"stamp": stamp})


def _files(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """The files below a folder in a constant order; links are followed, each folder is entered once."""
    state = folder.stat()
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name in LEFT_OUT:
            continue
        if not entry.is_dir():
            yield Path(entry.path)
        elif not entry.name.startswith("."):
            yield from _files(Path(entry.path), seen)
