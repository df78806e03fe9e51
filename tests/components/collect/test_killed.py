"""Killed at any point, every version that the remote lists is whole, and the next run completes it."""

import http.client
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.durations import HANGING
from tests.servers.http import serving
from tests.tiers import large
from tidegate.versions.listing import listed, text
from tidegate.versions.repository import fetch, opened

if TYPE_CHECKING:
    from tests.components.collect.conftest import Problem

Keys = Callable[[], dict[str, str]]
Rounds = Callable[..., int]
NEWS = [f"2024-03-{1 + n % 28:02d},{n},1,x,2024-03-01" for n in range(3, 200)]
EARLIER = {str(n) for n in range(1, 100)}
KEYS = {str(n) for n in range(1, 200)}


class Fault:
    """Counts what is written, and at the chosen write kills the writer: before the store has it, or after."""

    def __init__(self, at: int, before: bool) -> None:
        self.at, self.before = at, before
        self.writes: list[str] = []
        self.victim: subprocess.Popen[bytes] | None = None
        self.lock = threading.Lock()

    def strikes(self, path: str) -> bool:
        """Whether it is this one."""
        with self.lock:
            self.writes.append(path)
            return len(self.writes) == self.at

    def kill(self) -> None:
        """As a node that loses its power does."""
        while self.victim is None:
            time.sleep(0.01)
        self.victim.send_signal(signal.SIGKILL)
        self.victim.wait()


@contextmanager
def between(store: str, fault: Fault) -> Iterator[str]:
    """A way to the store on which the fault happens."""
    place = urlsplit(store).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            struck = self.command in ("PUT", "POST") and fault.strikes(self.path)
            if struck and fault.before:
                return fault.kill()
            connection = http.client.HTTPConnection(place, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            if struck:
                return fault.kill()
            self.send_response(answer.status)
            length = answer.headers.get("Content-Length") if self.command == "HEAD" else str(len(content))
            fields = {**dict(answer.headers), "Content-Length": length or "0"}
            for name in fields.keys() - {"Transfer-Encoding", "Connection", "Date", "Server"}:
                self.send_header(name, fields[name])
            self.end_headers()
            self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def whole(problem: "Problem", folder: Path) -> list[set[str]]:
    """The keys in each version that is listed, after DVC has fetched and verified it."""
    with opened(folder, problem.remote) as repository:
        folders = (fetch(repository, text(repository, version)) for version in listed(repository))
        return [_keys(data) for data in folders]


def _keys(data: Path) -> set[str]:
    found = [line.split(",")[1] for path in data.rglob("*.csv") for line in path.read_text().splitlines()[1:]]
    assert len(found) == len(set(found))
    return set(found)


def remote(endpoint: str, name: str) -> str:
    return f"url = s3://bucket/{name}\nendpointurl = {endpoint}\n"


def begun(problem: "Problem") -> None:
    """One version, and news for the next: a new file, and rows that change an earlier one."""
    problem.lay("exports/a.csv", *(f"2024-01-01,{number},1,x,2024-01-01" for number in range(1, 100)))
    problem.collect()
    problem.lay("exports/b.csv", *NEWS)


WRITES = 4  # the new file and the rewritten one, their list, the entry


CASES = [(at, True) for at in range(1, WRITES + 1)] + [(WRITES, False)]  # after one is before the next


@pytest.mark.parametrize(("at", "before"), CASES)
def test_killed_at_each_write(
    problem: "Problem", store: str, keys: Keys, tmp_path: Path, at: int, before: bool, rounds: Rounds
) -> None:
    rounds(1)
    problem.remote = remote(store, f"killed-{at}-{before}")
    begun(problem)
    fault = Fault(at, before)
    with between(store, fault) as endpoint:
        fault.victim = problem.started(
            remote=remote(endpoint, f"killed-{at}-{before}"), data_dvc=problem / "never-handed-on"
        )
        assert fault.victim.wait(timeout=HANGING) == -signal.SIGKILL, fault.writes
    assert not (problem / "never-handed-on").exists()
    found = whole(problem, tmp_path / "look")
    finished = at == WRITES and not before
    assert found == [EARLIER] + [KEYS] * finished
    problem.collect()
    assert whole(problem, tmp_path / "again") == [EARLIER, KEYS]


def test_there_are_so_many_writes_and_the_entry_is_the_last(problem: "Problem", store: str, keys: Keys) -> None:
    problem.remote = remote(store, "counted")
    begun(problem)
    fault = Fault(at=0, before=True)
    with between(store, fault) as endpoint:
        assert problem.started(remote=remote(endpoint, "counted")).wait(timeout=HANGING) == 0
    assert len(fault.writes) == WRITES
    assert fault.writes[-2].endswith(".dir") and "/tidegate/versions/" in fault.writes[-1]


@pytest.mark.parametrize("seed", range(large(100, 4)))
def test_killed_at_any_time_on_a_volume(problem: "Problem", tmp_path: Path, seed: int, rounds: Rounds) -> None:
    rounds(1)
    begun(problem)
    running = problem.started(data_dvc=problem / "whenever")
    time.sleep(random.Random(seed).uniform(0.3, 2.5))
    running.kill()
    running.wait()
    found = whole(problem, tmp_path / "look")
    assert found in ([EARLIER], [EARLIER, KEYS])
    problem.collect()
    assert whole(problem, tmp_path / "again") == [EARLIER, KEYS]
