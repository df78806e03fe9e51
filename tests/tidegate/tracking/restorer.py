"""Restores a copy and is killed at its n-th write, again and again: `python restorer.py COPY NAME NUMBER ...`."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tidegate.tracking import store
from tidegate.tracking.backups import container, restoration

WRITES = ("INSERT", "UPDATE", "DELETE")


def main(copy: Path, name: str, moments: list[int]) -> int:
    """Print how many of the attempts were killed; the imports, which take longest, are made once."""
    assert issubclass(MlflowClient, object)
    killed = 0
    for moment in moments:
        if not (child := os.fork()):
            _restore(copy, name, moment)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            print(killed)
            return os.waitstatus_to_exitcode(status)
        killed += 1
    print(killed)
    return 0


def _restore(copy: Path, name: str, moment: int) -> None:
    """Restore, until the write of this number begins."""
    client, writes = store.connect(), 0

    @event.listens_for(Engine, "before_cursor_execute")
    def _count(_: Any, __: Any, statement: str, *___: Any) -> None:
        nonlocal writes
        writes += statement.startswith(WRITES)
        if writes == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    with container.reading(copy, name) as whole:
        restoration.restore(client, whole)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], [*map(int, sys.argv[3:])]))
