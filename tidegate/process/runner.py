"""The processes that run a stage: DVC, and `tidegate run` above it. A step ends and publishes nothing when they end.

A later run may write the same outputs as soon as they have ended; while DVC runs a stage, its own locks prevent that.
"""

import json
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.process import fork, limits
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from psutil import Process

COMMAND = "TIDEGATE_RUN_PROCESS"  # the process id of the `tidegate run` that started DVC
# In it DVC names the process that writes each output, until the stage has ended.
LOCKS = Path(".dvc", "tmp", "rwlock")

_ended: Callable[[], bool] = bool  # false, until `watch` is called in a stage


def watch() -> None:
    """In a stage of DVC, let SIGTERM end this process as soon as one that runs it has ended, by whatever signal."""
    global _ended
    if "DVC_STAGE" not in os.environ:
        return
    in_container = os.environ.get("TIDEGATE_LIFELINE") == "stdin"  # it cannot see the processes of its host
    _ended = _stdin_is_closed if in_container else partial(_one_has_ended, runners())
    threading.Thread(target=_end_with_them, args=[_ended], daemon=True).start()


def check() -> None:
    """Raise InputError if a process that runs this stage has ended: its outputs may belong to a later run."""
    if _ended():
        raise InputError("dvc repro", "to run until its stage has ended", "that it was killed", "run it again")


def runners() -> "list[Process]":
    """The ancestors that are DVC and `tidegate run`; empty if one of them has ended.

    The parent may be a shell, which goes on when DVC is killed. Without DVC's note, it is the best that is known.
    """
    import psutil

    above = {process.pid: process for process in psutil.Process(fork.client()).parents()}
    writers = _writers()
    if writers is None:
        return [*above.values()][:1]
    dvc = [pid for pid in above if pid in writers][:1]
    started = [int(os.environ[COMMAND])] if COMMAND in os.environ else []
    wanted = [*dvc, *started]
    return [above[pid] for pid in wanted] if dvc and above.keys() >= set(wanted) else []


def _writers() -> set[int] | None:
    """The processes that write outputs by DVC's note; None if there is none."""
    here = Path.cwd()  # for an experiment in a folder of its own, DVC_ROOT is another repository
    notes = next((folder / LOCKS for folder in (here, *here.parents) if (folder / ".dvc").is_dir()), LOCKS)
    try:
        return {int(process["pid"]) for process in json.loads(notes.read_bytes())["write"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _one_has_ended(processes: "list[Process]") -> bool:
    return not processes or not all(map(_lives, processes))


def _lives(process: "Process") -> bool:
    """Whether it is the same process and runs; one that nobody has asked after is still listed as a zombie."""
    import psutil

    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _stdin_is_closed() -> bool:
    poll = select.poll()
    poll.register(0, 0)  # a closed pipe is reported in any case
    return bool(poll.poll(0))


def _end_with_them(ended: Callable[[], bool]) -> None:
    while not ended():
        time.sleep(limits.RUNNER_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
