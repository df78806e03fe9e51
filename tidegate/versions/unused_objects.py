"""The objects of a DVC cache that nothing kept uses, by DVC's own reading of the workspace and of git's history."""

import json
import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.versions.availability import translated_errors


class Unused(NamedTuple):
    """An object of the cache, and its bytes."""

    path: Path
    bytes: int


def unused(folder: Path, versions: Collection[str], since: float) -> list[Unused]:
    """The objects older than `since` (seconds of the epoch) that nothing uses which is kept; lists of files first.

    Kept are the objects of the workspace, of all branches, tags and experiments, of the commits since then, and of
    these versions of the data.
    """
    with _repository(folder) as repository:
        return list(_unused(repository, versions, since))


def remove(folder: Path, versions: Collection[str], since: float) -> list[Unused]:
    """Remove them, and return them: they are looked for again while no other DVC runs here."""
    with _repository(folder) as repository, repository.lock:
        removed = list(_unused(repository, versions, since))
        for each in removed:
            each.path.unlink(missing_ok=True)
    return removed


def _repository(folder: Path) -> Any:
    from dvc.repo import Repo

    return Repo(str(folder))


def _unused(repository: Any, versions: Collection[str], since: float) -> Iterator[Unused]:
    cache = Path(repository.cache.local.path)
    used = {*_used(repository, since), *(name for version in versions for name in _with_files(cache, version))}
    objects = [path for path in cache.glob("??/*") if path.parent.name + path.name not in used]
    # A list of files goes before the files: DVC believes that what a list names is there.
    for path in sorted(objects, key=lambda path: (path.suffix != ".dir", path)):
        status = path.stat()
        if status.st_mtime < since:
            yield Unused(path, status.st_size)


def _used(repository: Any, since: float) -> set[str]:
    day = time.strftime("%Y-%m-%d", time.gmtime(since))
    kept = {"all_branches": True, "all_tags": True, "all_experiments": True, "commit_date": day}
    with translated_errors(".dvc", "a workspace that DVC can read", "repair what it names"):
        repository.index.used_objs(force=True)
    with _without_warnings():  # nobody can repair a commit: one whose files DVC cannot read keeps no outputs
        objects = repository.used_objs(**kept, force=True, skip_failed=True)
    return {str(each.value) for each_store in objects.values() for each in each_store}


@contextmanager
def _without_warnings() -> Iterator[None]:
    """DVC warns of each output of each commit that was never made."""
    logger = logging.getLogger("dvc")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _with_files(cache: Path, version: str) -> Iterator[str]:
    """A version of the data and the files that it lists; of one that is not in the cache, itself."""
    yield version
    path = cache / version[:2] / version[2:]
    if path.suffix == ".dir" and path.is_file():
        yield from (str(entry["md5"]) for entry in json.loads(path.read_bytes()))
