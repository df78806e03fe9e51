"""Real servers for tests, each on a port of its own: Postgres, and whatever answers by HTTP."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from tests.tiers import lacking, needs


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the URL answers or its process has ended."""
    while process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.2)
    raise AssertionError(f"the server ended with {process.returncode}")


@contextmanager
def postgres(user: str, password: str) -> Iterator[int]:
    """The port of a Postgres with one user, who has a database of the same name."""
    needs("postgres")
    initdb, server = _program("initdb"), _program("postgres")
    account = _account()
    with tempfile.TemporaryDirectory() as folder:
        secret, data = Path(folder, "password"), Path(folder, "data")
        secret.write_text(password)
        if account:
            for path in (Path(folder), secret):
                shutil.chown(path, account)
        make: list[str | Path] = [initdb, "--auth=scram-sha-256", "--no-sync", "--username", user]
        make += ["--pwfile", secret, "--pgdata", data]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, user=account, cwd=folder)
        port = free_port()
        settings = ("listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", f"port={port}", "fsync=off")
        words: list[str | Path] = [server, "-D", data, *[word for setting in settings for word in ("-c", setting)]]
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL, user=account, cwd=folder)
        try:
            _create(port, user, password, process)
            yield port
        finally:
            process.send_signal(signal.SIGINT)  # it drops its clients and ends
            process.wait()


def _create(port: int, user: str, password: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with suppress(psycopg.OperationalError), _connect(port, user, password) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(user)))
            return
        time.sleep(0.1)
    raise AssertionError(f"Postgres ended with {process.returncode}")


def _connect(port: int, user: str, password: str) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=port, user=user, password=password, dbname="postgres", autocommit=True
    )


def _program(name: str) -> str:
    """Debian keeps them off the PATH."""
    places = [shutil.which(name), *map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))]
    if found := next(filter(None, places), None):
        return found
    lacking("needs Postgres (its server, not only psql)")


def _account() -> str | None:
    """Postgres refuses to run as root."""
    if os.geteuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
