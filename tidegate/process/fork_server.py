"""Processes that import the libraries once per run of the loop, and fork themselves for each step (Linux).

One has what the steps need that only work on tables, so that these need not wait for the other, which has all
libraries. A server imports no module of the steps, opens no connection, computes nothing and has one thread, so a fork
of it is what a fresh process is after its imports. The sockets are in a private folder; the servers end when the
process that started them does.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from runpy import run_module
from typing import NoReturn

from tidegate.process import limits
from tidegate.process.fork import ALL, FOLDER, FORKED, INSTALLATION, TABLES, Request, received, woken_by_signals
from tidegate.process.interpreter import python

_TABLES = ("duckdb", "jinja2", "jsonschema", "pydantic", "ruamel.yaml")
# What a server imports; an image may lack what its steps do not use.
LIBRARIES = {
    TABLES: _TABLES,
    ALL: (
        *_TABLES,
        *("pandas", "pyarrow.dataset", "pyarrow.parquet", "scipy.optimize", "scipy.stats"),
        *("mlflow", "mlflow.data.pandas_dataset", "mlflow.tracing.export"),
        "mlflow.store.model_registry.sqlalchemy_workspace_store",
        "mlflow.store.tracking.sqlalchemy_workspace_store",
        *("alembic.command", "sqlalchemy.dialects.sqlite", "evidently.presets", "plotly.io"),
        *("sklearn.calibration", "sklearn.compose", "sklearn.ensemble", "sklearn.inspection", "sklearn.linear_model"),
        *("sklearn.pipeline", "skops.io", "rich.console"),
        *("cryptography.hazmat.primitives.asymmetric.ed25519", "cryptography.hazmat.primitives.serialization"),
    ),
}
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
# A process with more threads cannot be forked; its forks get as many as fresh ones. The last is for Arrow's jemalloc.
SINGLE_THREAD = {**dict.fromkeys(THREADS, "1"), "JE_ARROW_MALLOC_CONF": "background_thread:false"}
LIFELINE = 0  # the server's stdin, which closes when the process that started it ends
LARGEST_REQUEST = 8 * 2**20


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment in which `tidegate step` is forked from a server; the servers end with the block."""
    if sys.platform != "linux" or FOLDER in environment:
        yield {**environment}
        return
    with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
        servers = [_started(name, Path(folder, name), environment) for name in LIBRARIES]
        try:
            yield {**environment, FOLDER: folder}
        finally:
            for server in servers:
                server.kill()
                server.communicate()


def _started(name: str, address: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """A server whose socket listens already; a client is refused when the server is gone."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        return subprocess.Popen(
            python(__name__, name, str(listener.fileno())),
            env={**environment, **SINGLE_THREAD},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def serve(name: str, listener: socket.socket) -> None:
    """Import the libraries and fork for whoever asks, until stdin closes."""
    for library in LIBRARIES[name]:
        if select.select([LIFELINE], [], [], 0)[0]:
            return
        with suppress(ImportError):
            import_module(library)
    wake = woken_by_signals()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    clients: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listener.fileno(), LIFELINE, wake], [], [])
        if LIFELINE in ready:
            return
        if wake in ready:
            os.read(wake, 4096)
            _reap(clients)
        if listener.fileno() in ready:
            _accept(listener, clients)


def _reap(clients: dict[int, socket.socket]) -> None:
    """Tell the clients of the processes that have ended how they ended."""
    for process in list(clients):
        number, status = os.waitpid(process, os.WNOHANG)
        if number:
            with clients.pop(process) as connection, suppress(OSError):
                connection.sendall(status.to_bytes(4, "big"))


def _accept(listener: socket.socket, clients: dict[int, socket.socket]) -> None:
    connection, _ = listener.accept()
    connection.settimeout(limits.FORK_REQUEST_SECONDS)
    try:
        size, files, _, _ = socket.recv_fds(connection, 4, 3)
        text = received(connection, min(int.from_bytes(size, "big"), LARGEST_REQUEST))
    except OSError:
        text, files = None, []
    request = Request(**json.loads(text)) if text else None
    if request is None or request.installation != INSTALLATION or len(files) != 3:
        connection.close()
    else:
        connection.settimeout(None)
        server, number = os.getpid(), os.fork()
        if number == 0:
            listener.close()
            for other in clients.values():
                other.close()
            threading.Thread(target=_end_without, args=[server, connection], daemon=True).start()
            _become(request, files)
        clients[number] = connection
        with suppress(OSError):
            connection.sendall(number.to_bytes(4, "big"))
    for each in files:
        os.close(each)


def _become(request: Request, files: Sequence[int]) -> NoReturn:
    """Be the process that the client would have been."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in request.ignored:
        signal.signal(number, signal.SIG_IGN)
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    os.chdir(request.folder)
    os.umask(request.mask)
    os.environ.clear()
    os.environ.update({**request.environment, FORKED: f"{os.getpid()} {request.client}"})
    time.tzset()
    _limit_threads()
    sys.path[:], sys.argv[1:] = request.path, request.words
    try:
        run_module(request.module, run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        print(ending.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    os._exit(1)  # a program that did not fail has ended its process by itself


def _limit_threads() -> None:
    """Give the libraries as many threads as a fresh process gives them."""
    if "numpy" not in sys.modules:
        return
    from threadpoolctl import threadpool_limits

    blas = next((os.environ[name] for name in THREADS if os.environ.get(name, "").isdigit()), "0")
    openmp = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0))
    threadpool_limits({"blas": min(int(blas) or cores, cores), "openmp": int(openmp) if openmp.isdigit() else cores})


def _end_without(server: int, connection: socket.socket) -> None:
    """End this process when the server or the client is gone: nobody learns any more how it ended."""
    while os.getppid() == server and not select.select([connection], [], [], 0.5)[0]:
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
