"""What takes long to build and many tests begin with: made once in a run, by whichever process needs it first."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """The folder that `build` fills; the other processes of the run wait for it, then use it: read it, and copy it.

    What a builder left that failed or was killed is thrown away, and whoever waited builds anew.
    """
    worlds = _shared(factory) / "worlds"
    folder, done = worlds / name, worlds / f"{name}.done"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (worlds / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system takes it from whoever ends
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            done.touch()
    return folder


def _shared(factory: pytest.TempPathFactory) -> Path:
    """The folder of the run; below it each process has its own."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
