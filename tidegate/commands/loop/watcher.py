"""`tidegate watch`: a turn of the loop for each version of the data about which nothing is decided yet.

What is decided is read from the workspace: a restart, or the same version once more, begins nothing again.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.commands.loop import collection, summary, turn, workspace
from tidegate.contract.contract import read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.data_version import tracked
from tidegate.documents.decision import Decision
from tidegate.documents.formats import read_text
from tidegate.documents.release import Release
from tidegate.process.errors import InputError

LOCK = Path(".dvc", "tmp", "tidegate-watch")


@contextmanager
def alone() -> Iterator[None]:
    """Within it no other process watches this folder; InputError names one that does."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            found = f"process {file.read().strip() or 'of another name'}, which watches it"
            raise InputError("this folder", "no other watcher", found, "end it, or leave it to its work") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def look(failed: set[str]) -> dict[str, Any] | None:
    """Collect what the sources have, and run the loop if that, or anybody else, has brought another version.

    Returns what came of the run; None where nothing is new. A version that fails joins `failed`, to be tried once.
    """
    has_sources = any(table.source for table in read_contract(workspace.CONTRACT).tables.values())
    if has_sources:
        collection.collect(None)
    version = tracked(read_text(workspace.DATA_DVC)).md5
    if version in failed or _is_decided(version):
        return None
    # As in a scheduled run: the batch ends on this day.
    until = f"{datetime.now(UTC):%Y-%m-%d}" if has_sources else None
    try:
        return summary.summary(*turn.turn(until, False, False))
    except InputError:
        failed.add(version)
        raise


def _is_decided(version: str) -> bool:
    """Whether the gate has decided about this version, and a challenger has its release."""
    batch, decision = workspace.written(Batch, "featurize"), workspace.written(Decision, "gate")
    if batch is None or decision is None or batch.data != version or decision.batch != batch.id:
        return False
    release = workspace.written(Release, "deploy")
    return not decision.retrain or (release is not None and release.batch == batch.id)
