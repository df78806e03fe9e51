"""The tracking store in sqlite: locked by another process for a while or for long, cut off, and without room."""

import random
import secrets
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tidegate.process import limits
from tidegate.process.errors import REFUSED, UNAVAILABLE
from tidegate.tracking.journal import history
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Rounds = Callable[..., int]


@contextmanager
def locked(world: "World", how: str, seconds: float) -> Iterator[None]:
    """The database, locked for so many seconds or until the block ends."""
    holds, end = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(world / "mlflow.db", isolation_level=None)) as connection:
            connection.execute(f"BEGIN {how}")
            holds.set()
            end.wait(seconds)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    holds.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


def told(done: "subprocess.CompletedProcess[str]") -> str:
    """The only line of a step that failed."""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: "), done.stderr
    return done.stderr


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_locked_for_25_seconds_it_is_waited_for(how: str, judged: "World", rounds: Rounds) -> None:
    rounds(1)
    with locked(judged, how, 25):
        done = judged.command("deploy")
    assert (done.returncode, done.stderr) == (0, "")
    assert history(connect(), "toy").champion == "2"


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_locked_for_longer_it_is_told_and_may_be_tried_again(how: str, judged: "World", rounds: Rounds) -> None:
    rounds(1)
    begun = time.monotonic()
    with locked(judged, how, 600):
        done = judged.command("deploy")
    assert done.returncode == UNAVAILABLE and "another process" in told(done) and "wait until" in told(done)
    assert time.monotonic() - begun > limits.DATABASE_SECONDS
    assert judged.command("deploy").returncode == 0
    assert history(connect(), "toy").champion == "2"


def test_cut_off_it_is_told_and_left_as_it_is(judged: "World", rounds: Rounds) -> None:
    path, seed = judged / "mlflow.db", secrets.randbits(32)
    print(f"seed {seed}")
    whole, chance = path.read_bytes(), random.Random(seed)
    for number in range(rounds(20, 3)):
        length = chance.randrange(1, len(whole) * 9 // 10)
        path.write_bytes(whole[:length])
        done = judged.command("deploy")
        # What was cut off may be nothing that the step reads.
        if done.returncode:
            assert done.returncode == REFUSED and "move it away" in told(done), (number, length)
            assert path.read_bytes()[:length] == whole[:length], (number, length)
        judged.path("deploy", "release").unlink(missing_ok=True)
