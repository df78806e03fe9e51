"""What is known without asking: DVC of the files, MLflow of the registry. To ask costs seconds of imports."""

import os
import re
from pathlib import Path

from tidegate.documents.formats import read_text, write_json
from tidegate.process import code
from tidegate.process.stamps import files, noted, stamp
from tidegate.tracking import database

FILES, REGISTRY = Path("artifacts/unchanged.json"), Path("artifacts/registry.json")
LOCK = Path("dvc.lock")
# What a run writes and DVC does not look at. The settings and the cache of DVC are looked at one by one.
LEFT_OUT = {
    *(Path(name) for name in (".git", ".dvc", "mlartifacts", "mlflow.db", "mlflow.db.lock")),
    *(FILES, REGISTRY, code.COMPUTED),
}
DVC = (Path(".dvc/config"), Path(".dvc/config.local"), *(Path(".dvc/cache/files/md5", f"{n:02x}") for n in range(256)))


def now() -> str:
    """The stamp of all files of the workspace, of DVC's settings and cache, and of Tidegate."""
    return stamp((*files(Path(), _is_left_out), *DVC, *code.own_files()))


def _is_left_out(path: Path) -> bool:
    return path in LEFT_OUT or (path / "pyvenv.cfg").exists()


def up_to_date(state: str) -> bool:
    """Whether DVC found nothing to do when the workspace had this stamp."""
    return bool(noted(FILES).get("stamp") == state)


def remember(state: str) -> None:
    """Note that DVC, asked after the stamp was taken, found nothing to do; it alone can look at files elsewhere."""
    if not (LOCK.exists() and re.search(r"path: \w+://", read_text(LOCK))):
        write_json(FILES, {"stamp": state})


def remember_registry(champion: str | None) -> None:
    """Note that the registry was looked at, and whom it names champion; see `remembered_registry`."""
    if store := _store_state():
        write_json(REGISTRY, {"store": store, "champion": champion})


def remembered_registry() -> tuple[bool, str | None]:
    """Whether the local registry is untouched since it was last looked at, and the champion it named then.

    A server is always asked.
    """
    note, store = noted(REGISTRY), _store_state()
    return (True, note.get("champion")) if store and note.get("store") == store else (False, None)


def _store_state() -> str | None:
    path = database.path_of(os.environ.get("MLFLOW_TRACKING_URI") or database.DEFAULT_URI)
    if path is None or not path.exists():
        return None
    state = path.stat()
    return f"{path} {state.st_ino} {state.st_size} {state.st_mtime_ns}"
