"""The server's socket and its settings."""

import re
import socket
from pathlib import Path

import pytest

from tidegate.commands.serve import values
from tidegate.process.errors import InputError
from tidegate.serving.server import listening


def test_answers_do_not_wait_for_the_client() -> None:
    with listening("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_none_is_one_line() -> None:
    with pytest.raises(
        InputError, match=r"--port 70000: expected a free port of this machine, found a number that is"
    ):
        listening("127.0.0.1", 70_000)


def test_settings_are_overridden_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = values(["serve.max_rows=7", "serve.tables=s3://bucket/clean/", "deploy.sign="])
    assert (found["serve"]["max_rows"], found["serve"]["tables"]) == (7, "s3://bucket/clean/")
    assert (found["serve"]["unknown"], found["deploy"]["sign"]) == ("accept", "")
    for override, told in {
        "serve.max_rows=0": "--set serve.max_rows: expected at least 1 and at most 100000, found 0",
        "serve.colour=red": "--set serve.colour=red: expected one of deploy.sign, serve.max_bytes",
        "train.window_days=3": "--set train.window_days=3: expected one of deploy.sign",
    }.items():
        with pytest.raises(InputError, match=re.escape(told)):
            values([override])
