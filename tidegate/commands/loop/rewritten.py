"""Whether `dvc repro` rewrote data.dvc: DVC takes edited files in data/ for the data, before any stage runs."""

import os
from collections.abc import Iterator
from pathlib import Path

from tidegate.documents.data_version import tracked
from tidegate.documents.formats import read_text, read_yaml, write_text
from tidegate.process.context import committed, experiment
from tidegate.process.errors import InputError

CHECKED = "TIDEGATE_DATA"  # the version that `tidegate run` checked before it started DVC
DATA_DVC, LOCK = Path("data.dvc"), Path("dvc.lock")
HELD = Path(".dvc/tmp/lock")  # DVC writes it when it begins
CURE = "data/ was edited: run `dvc checkout data` to go back, or `dvc add data` to keep the edit"
CURE_OF_EXPERIMENT = "run `git checkout data.dvc` and `dvc checkout data`, or commit data.dvc"


def checked(folder: Path = Path()) -> dict[str, str]:
    """For the environment of DVC: the version that data/ in a folder was found to be."""
    file = folder / DATA_DVC
    return {CHECKED: tracked(read_text(file)).md5} if file.is_file() else {}


def check() -> None:
    """In a stage of DVC, InputError if this DVC rewrote data.dvc; the version before it is put back.

    `dvc exp run` writes data.dvc for other reasons too: an experiment takes the version of the last run or commit.
    """
    if "DVC_STAGE" not in os.environ or not DATA_DVC.is_file():
        return
    version, checked_version, earlier = tracked(read_text(DATA_DVC)).md5, os.environ.get(CHECKED), dict(_earlier())
    if version == checked_version or (
        not checked_version and (version in earlier or not (experiment() or _is_newer(DATA_DVC, HELD)))
    ):
        return
    if experiment() and not checked_version:
        raise InputError(DATA_DVC, "the version of the last run or commit", version, CURE_OF_EXPERIMENT)
    before = checked_version or next(iter(earlier), "unknown")
    if before in earlier:
        write_text(DATA_DVC, earlier[before])
    raise InputError(DATA_DVC, f"the version before `dvc repro` ({before})", version, CURE)


def _earlier() -> Iterator[tuple[str, str]]:
    """The versions that were there before, with the text of data.dvc: the one of the last run, the committed one.

    The last run's is the later one, unless its dvc.lock is committed.
    """
    versions = [text for text in (_of_last_run(), committed(DATA_DVC)) if text]
    if LOCK.is_file() and committed(LOCK) == read_text(LOCK):
        versions.reverse()
    for text in versions:
        yield tracked(text).md5, text


def _of_last_run() -> str:
    """The text of data.dvc that the last run ingested, from dvc.lock; empty before the first run."""
    lock = read_yaml(LOCK) if LOCK.is_file() else {}
    deps = lock.get("stages", {}).get("ingest", {}).get("deps", [])
    for dep in deps:
        if dep.get("path") == "data" and "md5" in dep:
            lines = [f"{key}: {dep[key]}" for key in ("md5", "size", "nfiles", "hash", "path") if key in dep]
            return "outs:\n- " + "\n  ".join(lines) + "\n"
    return ""


def _is_newer(one: Path, other: Path) -> bool:
    return not other.exists() or one.stat().st_mtime_ns > other.stat().st_mtime_ns
