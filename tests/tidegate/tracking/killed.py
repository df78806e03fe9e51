"""Restores a copy, or prunes, and is killed at its n-th write, again and again: see `kills`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow  # noqa: F401  (before the forks)
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tidegate.tracking import retention, store
from tidegate.tracking.backups import container, restoration

WRITES = ("INSERT", "UPDATE", "DELETE")


def kills(folder: Path, name: str, copy: Path | None, *moments: int) -> int:
    """How many attempts were killed, each at the write of this number; the one that came to its end was the last."""
    command = [sys.executable, __file__, name, str(copy or ""), *map(str, moments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return int(done.stdout)


def main(name: str, copy: str, moments: list[int]) -> int:
    """Print how many of the attempts were killed; the imports, which take longest, are made once."""
    for killed, moment in enumerate(moments):
        if not (child := os.fork()):
            try:
                _attempt(name, copy, moment)
            finally:
                sys.stderr.flush()
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            print(killed)
            return os.waitstatus_to_exitcode(status)
    print(len(moments))
    return 0


def _attempt(name: str, copy: str, moment: int) -> None:
    """Restore or prune, until the write of this number, to the database or of a file that goes, begins."""
    client, writes = store.connect(), 0

    def count(is_write: bool) -> None:
        nonlocal writes
        writes += is_write
        if writes == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(Engine, "before_cursor_execute")
    def _statement(_: Any, __: Any, statement: str, *___: Any) -> None:
        count(statement.startswith(WRITES))

    for name_of in ("remove", "unlink", "rmdir"):
        setattr(os, name_of, _counted(getattr(os, name_of), count))
    if copy:
        with container.reading(Path(copy), name) as whole:
            restoration.restore(client, whole)
        return
    for each in retention.surplus(client, name, datetime.now(UTC) + timedelta(days=1)):
        retention.remove(client, each)


def _counted(function: Callable[..., None], count: Callable[[bool], None]) -> Callable[..., None]:
    def counted(*arguments: Any, **more: Any) -> None:
        count(True)
        function(*arguments, **more)

    return counted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], [*map(int, sys.argv[3:])]))
