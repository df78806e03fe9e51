"""What the tests of faults share: steps in the middle of a run whose MLflow is a server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.tracking import Server
from tests.toy import flag_words

if TYPE_CHECKING:
    from tests.toy import World

root = Path(__file__).parents[2]
NewServer = Callable[[str], Server]


@pytest.fixture
def new_server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewServer]:
    """Starts a server, on a disk of a given size or on this machine's."""
    servers: list[Server] = []

    def start(disk: str) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("server"), migrated, disk))
        return servers[-1]

    yield start
    for each in servers:
        each.end()


@pytest.fixture
def server(new_server: NewServer) -> Server:
    """A server, which has answered once."""
    return new_server("")


@pytest.fixture
def gate_begun(prepared: "World") -> Callable[[str], "subprocess.Popen[str]"]:
    """Starts the step `gate` in the middle of a run; it ends the batch's run, so it asks and writes."""

    def start(uri: str) -> "subprocess.Popen[str]":
        given = flag_words(prepared.flags("gate"))
        environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "TIDEGATE_KUBEFLOW_RUN": "of-the-test"}
        command = [sys.executable, "-m", "tidegate", "step", "gate", *given]
        return subprocess.Popen(command, env=environment, cwd=root, stderr=subprocess.PIPE, text=True)

    return start
