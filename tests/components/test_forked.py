"""A step that is forked writes the bytes that a step in a fresh process writes, whatever the number of threads."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.tiers import LONG
from tests.toy import World, flag_words
from tidegate.process import fork, fork_server

STEPS = ("ingest", "validate", "featurize", "gate", "train", "evaluate")
SECONDS = 120  # in which a step ends, or hangs
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


@pytest.fixture(params=["1", "2"] if LONG else ["2"])
def environment(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """One in which servers run, and libraries have so many threads."""
    outside = {name: value for name, value in os.environ.items() if name != fork.FOLDER}
    with fork_server.serving({**outside, **dict.fromkeys(fork_server.THREADS, request.param)}) as environment:
        yield environment


def _written(world: World, environment: dict[str, str]) -> dict[str, bytes]:
    """What the steps write in a new world, one after the other."""
    place = {"MLFLOW_TRACKING_URI": f"sqlite:///{world / 'mlflow.db'}"}
    for step in STEPS:
        flags = flag_words(world.flags(step))
        words = [sys.executable, "-P", "-m", "tidegate", "step", step, *flags]
        given = environment | place
        done = subprocess.run(words, cwd=world.folder, env=given, capture_output=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, (step, done.stderr.decode())
    return world.snapshot()


def test_the_bytes_are_those_of_a_fresh_process(
    stored: World, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory, rounds: Callable[..., int]
) -> None:
    fresh = {name: value for name, value in environment.items() if name != fork.FOLDER}
    expected = _written(stored.copy(tmp_path_factory.mktemp("fresh")), fresh)
    for _ in range(rounds(100, 1)):
        found = _written(stored.copy(tmp_path_factory.mktemp("forked")), environment)
        assert {name for name in expected | found if expected.get(name) != found.get(name)} == set()
