"""A real MLflow server that goes away while a step works: stopped, killed, or behind a proxy that answers 503."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.flaky import Faults, flaky
from tests.tidegate.tracking.conftest import free_port, wait_for
from tidegate.process.errors import UNAVAILABLE

if TYPE_CHECKING:
    from tests.toy import World

Rounds = Callable[..., int]
root = Path(__file__).parents[2]
TOLD_SECONDS, BACK_SECONDS = 60, 28
SLOW = 15  # a busy machine: how much longer a process takes to begin and to end


class Server:
    """An MLflow server of the test's own, which can be stopped, killed, and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.start()

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Until it answers."""
        words = ["--port", str(self.port), "--backend-store-uri", "sqlite:///mlflow.db", "--workers", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *words, "--artifacts-destination", "artifacts"],
            cwd=self.folder,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(f"{self.uri}/health", self.process)

    def send(self, number: signal.Signals) -> None:
        """A signal to all of its processes."""
        os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Whatever state it is in."""
        self.send(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, which has answered once."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(migrated, folder / "mlflow.db")
    found = Server(folder)
    yield found
    found.end()


def begun(world: "World", uri: str) -> "subprocess.Popen[str]":
    """The step `gate` in the middle of a run; it ends the batch's run, so it asks and writes."""
    given = [text for name, value in world.flags("gate").items() for text in (f"--{name}", str(value))]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "TIDEGATE_KUBEFLOW_RUN": "of-the-test"}
    command = [sys.executable, "-m", "tidegate", "step", "gate", *given]
    return subprocess.Popen(command, env=environment, cwd=root, stderr=subprocess.PIPE, text=True)


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
    how: str, server: Server, prepared: "World", rounds: Rounds
) -> None:
    rounds(1)
    with away(how, server) as (address, _):
        since = time.monotonic()
        process = begun(prepared, address)
        said = process.communicate(timeout=180)[1]
    took = time.monotonic() - since
    if how == "refuses":
        server.start()
    assert process.returncode == UNAVAILABLE and said.count("\n") == 1 and said.startswith("error: "), said
    assert took < TOLD_SECONDS + SLOW


@pytest.mark.parametrize("how", ["refuses", "hangs", "503"])
def test_one_that_comes_back_is_not_noticed(how: str, server: Server, prepared: "World", rounds: Rounds) -> None:
    rounds(1)
    with away(how, server) as (address, faults):
        since = time.monotonic()
        process = begun(prepared, address)
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
