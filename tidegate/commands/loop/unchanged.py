"""Whether a file changed since DVC found everything up to date: to ask DVC costs seconds of imports."""

import re
from pathlib import Path

from tidegate.documents.formats import read_text, write_json
from tidegate.process import code
from tidegate.process.stamps import files, noted, stamp

FILE, LOCK = Path("artifacts", "unchanged.json"), Path("dvc.lock")
# What a run writes and DVC does not look at.
LEFT_OUT = ("mlartifacts", "mlflow.db", "mlflow.db.lock", "registry.json", FILE.name, code.KNOWN.name)
DVC = (Path(".dvc/config"), Path(".dvc/config.local"), *(Path(".dvc/cache/files/md5", f"{n:02x}") for n in range(256)))


def now() -> str:
    """The stamp of all files of the workspace, of DVC's settings and cache, and of Tidegate."""
    return stamp((*files(Path(), LEFT_OUT), *DVC, *files(code.ROOT)))


def up_to_date(found: str) -> bool:
    """Whether DVC found nothing to do when the workspace had this stamp."""
    return bool(noted(FILE).get("stamp") == found)


def remember(found: str) -> None:
    """Note that DVC, asked after the stamp was taken, found nothing to do; it alone can look at files elsewhere."""
    if not (LOCK.exists() and re.search(r"path: \w+://", read_text(LOCK))):
        write_json(FILE, {"stamp": found})
