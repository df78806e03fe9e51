"""A real MLflow server that goes away while a step works: stopped, killed, or behind a proxy that answers 503."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.servers.flaky import Faults, flaky
from tests.servers.tracking import Server
from tidegate.process.errors import UNAVAILABLE

Rounds = Callable[..., int]
Begun = Callable[[str], "subprocess.Popen[str]"]
TOLD_SECONDS, BACK_SECONDS = 60, 28
SLOW = 15  # a busy machine: how much longer a process takes to begin and to end


@contextmanager
def away(how: str, server: Server) -> Iterator[tuple[str, Faults]]:
    """An address at which MLflow refuses, hangs or answers 503, and what makes it answer so."""
    faults = Faults(forever="503")
    with flaky(server.uri, faults) as proxy:
        if how == "refuses":
            server.end()
        elif how == "hangs":
            server.send(signal.SIGSTOP)
        yield proxy if how == "503" else server.uri, faults


@pytest.mark.parametrize("how", ["refuses", "hangs", "503"])
def test_one_that_stays_away_is_told_within_a_minute(
    how: str, server: Server, gate_begun: Begun, rounds: Rounds
) -> None:
    rounds(1)
    with away(how, server) as (address, _):
        since = time.monotonic()
        process = gate_begun(address)
        said = process.communicate(timeout=180)[1]
    took = time.monotonic() - since
    if how == "refuses":
        server.start()
    assert process.returncode == UNAVAILABLE and said.count("\n") == 1 and said.startswith("error: "), said
    assert took < TOLD_SECONDS + SLOW


@pytest.mark.parametrize("how", ["refuses", "hangs", "503"])
def test_one_that_comes_back_is_not_noticed(how: str, server: Server, gate_begun: Begun, rounds: Rounds) -> None:
    rounds(1)
    with away(how, server) as (address, faults):
        since = time.monotonic()
        process = gate_begun(address)
        if how == "refuses":
            server.start()  # until it answers
            if time.monotonic() - since > BACK_SECONDS:
                pytest.skip("MLflow took more than half a minute to start")
        time.sleep(max(0.0, BACK_SECONDS - (time.monotonic() - since)))
        faults.forever = ""
        if how == "hangs":
            server.send(signal.SIGCONT)
        said = process.communicate(timeout=180)[1]
    assert (process.returncode, said) == (0, "")
