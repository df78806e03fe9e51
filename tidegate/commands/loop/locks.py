"""Who holds DVC's locks of this workspace: a process that lives, or a note that a process left which has ended."""

import fcntl
import json
import re
import shlex
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tidegate.process import limits
from tidegate.process.errors import InputError, display
from tidegate.process.runner import LOCKS

LOCK = Path(".dvc", "tmp", "lock")  # held for as long as its process lives
THING = "this workspace"
# DVC's own words for it, which advise to remove the lock of a process that runs.
REFUSED = re.compile(r"Unable to acquire lock|is being blocked by:|manually remove '.*rwlock'")


class Note(NamedTuple):
    """What a lock says of its holder."""

    file: Path
    pid: int


def check() -> None:
    """Raise InputError if a process still runs DVC here after some seconds, or one that has ended left a note."""
    until = time.monotonic() + limits.LOCK_SECONDS
    while note := next(notes(), None):
        if time.monotonic() > until:
            raise _held(note)
        time.sleep(0.2)


def refused() -> InputError:
    """The error for a lock that DVC could not get."""
    note = next(notes(), None)
    return _held(note) if note else InputError(THING, "no other run", "one that has just ended", "run it again")


def notes() -> Iterator[Note]:
    """The locks that DVC would not take; those of processes that are gone it removes itself."""
    import psutil

    if LOCK.exists() and _is_locked(LOCK) and (number := re.fullmatch(r"\s*(\d+)\s*", LOCK.read_text())):
        yield Note(LOCK, int(number[1]))
    for pid in sorted(_noted()):
        if psutil.pid_exists(pid):
            yield Note(LOCKS, pid)


def _is_locked(file: Path) -> bool:
    with file.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _noted() -> set[int]:
    try:
        noted = json.loads(LOCKS.read_bytes())
        readers = [process for each in noted.get("read", {}).values() for process in each]
        return {int(process["pid"]) for process in [*noted.get("write", {}).values(), *readers]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _held(note: Note) -> InputError:
    import psutil

    try:
        process = psutil.Process(note.pid)
        began, command = process.create_time(), display(shlex.join(process.cmdline()), most=80)
        # Numbers are given again: whoever began after the note was written has not written it.
        ended = process.status() == psutil.STATUS_ZOMBIE or began > note.file.stat().st_mtime + 1
    except psutil.Error:
        began, command, ended = 0.0, "", True
    if ended and note.file == LOCK:  # the holder has not written its number yet
        return InputError(THING, "no other run", f"a process that holds {LOCK}", "wait until it has ended")
    if ended:
        return InputError(THING, "no lock", f"that of process {note.pid}, which has ended", f"remove {note.file}")
    since = f"{datetime.fromtimestamp(began):%Y-%m-%d %H:%M:%S}"
    found = f"process {note.pid} ({command}), which runs since {since}"
    return InputError(THING, "no other run", found, "wait until it has ended, or end it")
