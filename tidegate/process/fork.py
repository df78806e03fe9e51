"""A step as a fork of a server that has imported the libraries: what its client does, the process started for it.

See `fork_server`. Without a server a step runs in the process that was started for it. Each step of a run starts a
client, so it imports little.
"""

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from runpy import run_module
from typing import NamedTuple

from tidegate.process.interpreter import python
from tidegate.process.termination import SIGNALS, handled_signals

FOLDER = "TIDEGATE_FORK_SERVERS"  # the variable that names the folder of the sockets
FORKED = "TIDEGATE_FORKED"  # the ids of the process that was forked, which runs its module itself, and of its client
TABLES, ALL = "tables", "all"  # the servers, and the names of their sockets
TABLE_STEPS = ("ingest", "validate", "featurize")
INSTALLATION = f"{sys.prefix} {Path(__file__).resolve()}"  # a server forks for clients of its own only


class Request(NamedTuple):
    """All that a new process inherits from the one that starts it, but for its open files."""

    client: int
    installation: str
    path: list[str]
    module: str
    words: list[str]
    folder: str
    environment: dict[str, str]
    mask: int
    ignored: list[int]  # signals


def client() -> int:
    """The id of the process that was started for what this process does: its client, or itself if it is no fork."""
    forked, _, started = os.environ.get(FORKED, "").partition(" ")
    return int(started) if forked == str(os.getpid()) else os.getpid()


def command(module: str, *words: str) -> list[str]:
    """The command that runs a module by this interpreter, in a fork if there is a server."""
    return python(__name__, module, *words) if FOLDER in os.environ else python(module, *words)


def leave_by_fork(module: str, words: Sequence[str], server: str = ALL) -> None:
    """Run a module in a fork of the server and end as it ends; returns if this is the fork or there is no server."""
    if FOLDER not in os.environ or client() != os.getpid():
        return
    with socket.socket(socket.AF_UNIX) as connection:
        number = _forked(connection, Path(os.environ[FOLDER], server), _request(module, words))
        if number is None:
            return
        for each in handled_signals():
            signal.signal(each, lambda signalled, _: _send_signal(number, signalled))
        wake = woken_by_signals()
        while connection.fileno() not in select.select([connection.fileno(), wake], [], [])[0]:
            os.read(wake, 64)
        status = received(connection, 4)
    if status is None:
        _send_signal(number, signal.SIGKILL)
        sys.exit("error: the process that starts the steps was killed; run it again")
    code = os.waitstatus_to_exitcode(int.from_bytes(status, "big"))
    if code < 0:
        with suppress(OSError):  # SIGKILL has no other handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.stdout.flush()
    os._exit(code)


def _forked(connection: socket.socket, server: Path, request: Request) -> int | None:
    """The id of the process that the server forked for the request; None if there is no server that answers."""
    text = json.dumps(request._asdict()).encode()
    try:
        connection.connect(str(server))
        socket.send_fds(connection, [len(text).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(text)
        answer = received(connection, 4)
    except OSError:
        return None
    return None if answer is None else int.from_bytes(answer, "big")


def _request(module: str, words: Sequence[str]) -> Request:
    mask = os.umask(0)
    os.umask(mask)
    ignored = [int(each) for each in SIGNALS if signal.getsignal(each) is signal.SIG_IGN]
    started = (os.getpid(), INSTALLATION, sys.path)
    return Request(*started, module, list(words), str(Path.cwd()), dict(os.environ), mask, ignored)


def _send_signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def received(connection: socket.socket, size: int) -> bytes | None:
    """So many bytes; None when the other side has closed before."""
    parts = b""
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return parts


def woken_by_signals() -> int:
    """A file that can be read after a signal, whose handler may otherwise wait until a blocking call returns."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    return wake


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    leave_by_fork(name, rest)
    sys.argv[1:] = rest
    run_module(name, run_name="__main__", alter_sys=True)
