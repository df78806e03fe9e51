"""A step that is forked is the step that a fresh process would be; no end of either side leaves the other alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tidegate.process import fork, fork_server
from tidegate.process.interpreter import python

ROOT = Path(__file__).parents[3]
PROGRAM = "tests.tidegate.process.inherited"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """One in which servers run."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    with fork_server.serving({**given, "PYTHONPATH": str(ROOT)}) as environment:
        yield environment


def _servers(parent: int) -> set[int]:
    """The processes with this parent that fork themselves and have all libraries."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(each) for each in children if b"fork_server\0all\0" in Path(f"/proc/{each}/cmdline").read_bytes()}


def _command(*words: str) -> list[str]:
    return python("tidegate.process.fork", PROGRAM, *words)


def _told(environment: dict[str, str], **options: Any) -> dict[str, Any]:
    done = subprocess.run(_command("tell", "a b", "ü"), env=environment, capture_output=True, check=True, **options)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_server_has_one_thread_and_none_of_our_steps(environment: dict[str, str]) -> None:
    found = _told(environment)
    server = found["parent"]
    assert server in _servers(os.getpid())
    assert len(list(Path(f"/proc/{server}/task").iterdir())) == 1
    ours = {name for name in found["modules"] if name.startswith("tidegate.")}
    processes = (f"tidegate.process.{name}" for name in ("fork", "interpreter", "limits", "termination"))
    assert ours <= {"tidegate.process", *processes}
    assert {"mlflow", "evidently", "sklearn.ensemble", "duckdb"} <= set(found["modules"])


@pytest.mark.parametrize("threads", [None, "1", "2", "3"])
def test_a_fork_inherits_what_a_fresh_process_does(
    environment: dict[str, str], threads: str | None, tmp_path: Path
) -> None:
    given = {**environment, "TZ": "Asia/Tokyo", "OTHER": "ä\n"}
    for name in fork_server.THREADS:
        given.pop(name, None)
    if threads:
        given |= dict.fromkeys(fork_server.THREADS, threads)
    fresh = {name: value for name, value in given.items() if name != fork.FOLDER}
    forked, alone = (_told(each, cwd=tmp_path, umask=0o027) for each in (given, fresh))
    for document in (forked, alone):
        for name in (fork.FOLDER, fork.FORKED):
            document["environment"].pop(name, None)
    for key in ("words", "folder", "environment", "mask", "path", "ignores_ctrl_c", "time", "computing"):
        assert forked[key] == alone[key], key
    assert forked["parent"] != alone["parent"]
    assert not any("TIDEGATE_FORK" in name for name in os.environ)


def test_streams_and_exit_codes_pass(environment: dict[str, str]) -> None:
    for code in (0, 1, 2, 75):
        done = subprocess.run(
            _command("leave", str(code)), env=environment, input="in\n", capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (code, "IN\n", "to stderr\n")


def test_a_fault_of_the_program_is_shown(environment: dict[str, str]) -> None:
    done = subprocess.run(_command("raise"), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and "RuntimeError: a fault of the program" in done.stderr


def _waiting(environment: dict[str, str], tmp_path: Path) -> tuple["subprocess.Popen[bytes]", int]:
    """A client, and the process that was forked for it."""
    file = tmp_path / "process"
    client = subprocess.Popen(_command("wait", str(file)), env=environment)
    while not (file.exists() and file.read_text()):
        time.sleep(0.02)
        assert client.poll() is None
    return client, int(file.read_text())


def _ends(process: int) -> bool:
    """Whether a process that nobody waits for is gone within two minutes."""
    until = time.monotonic() + 120
    while Path(f"/proc/{process}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    return not Path(f"/proc/{process}").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_fork(environment: dict[str, str], number: signal.Signals, tmp_path: Path) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("a shell that started this in the background has these processes ignore the signal")
    client, forked = _waiting(environment, tmp_path)
    client.send_signal(number)
    assert client.wait(120) == 128 + number
    assert _ends(forked)


def test_a_fork_that_is_killed_ends_its_client_so(environment: dict[str, str], tmp_path: Path) -> None:
    client, forked = _waiting(environment, tmp_path)
    os.kill(forked, signal.SIGKILL)
    assert client.wait(120) == -signal.SIGKILL


def test_a_client_that_is_killed_ends_its_fork(environment: dict[str, str], tmp_path: Path) -> None:
    client, forked = _waiting(environment, tmp_path)
    client.kill()
    client.wait()
    assert _ends(forked)


def test_a_server_that_is_killed_ends_both(environment: dict[str, str], tmp_path: Path) -> None:
    given = {name: value for name, value in environment.items() if name != fork.FOLDER}
    with fork_server.serving(given) as environment:
        server = _told(environment)["parent"]
        client, forked = _waiting(environment, tmp_path)
        os.kill(server, signal.SIGKILL)
        assert client.wait(120) == 1
        assert _ends(forked)
        # Whoever comes later does its work itself.
        assert _told(environment)["parent"] == os.getpid()


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    text = (
        "import os, time; from tidegate.process import fork_server\n"
        "with fork_server.serving(dict(os.environ)): print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None and starter.stdout.readline() == b"ready\n"
        while not (servers := _servers(starter.pid)):
            time.sleep(0.02)
        starter.kill()
        assert all(_ends(each) for each in servers)


def test_the_interpreter_may_be_called_by_another_of_its_names(environment: dict[str, str]) -> None:
    link = Path(sys.prefix, "bin", "python3")
    command = [str(link), *_command("tell")[1:]]
    found = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert found["parent"] in _servers(os.getpid())


def test_another_installation_is_not_served(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tidegate").symlink_to(ROOT / "tidegate")
    copy = tmp_path / "tidegate_of_others"
    copy.mkdir()
    for name in ("tidegate", "components", "pipelines"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(copy / name)], check=True)
    given = {**environment, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"}
    assert _told(given)["parent"] == os.getpid()
