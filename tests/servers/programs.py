"""Servers that are programs of their own: Postgres, an S3-compatible store; and a port on which nothing is said."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.servers import PASSWORD
from tests.tiers import lacking, needs


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """A Postgres server with the database `postgres`; gives its connection string."""
    needs("postgres")
    found = shutil.which("initdb") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    binaries = Path(found or lacking("no Postgres server: install postgresql")).parent
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        account: Any = {"user": "nobody"} if os.geteuid() == 0 else {}  # Postgres refuses to run as root
        if account:
            shutil.chown(folder, "nobody")
        data, password, port = Path(folder, "data"), Path(folder, "password"), free_port()
        password.write_text(PASSWORD)
        initdb: list[Any] = [binaries / "initdb", "--pgdata", data, "--username", "tester", "--pwfile", password]
        subprocess.run(
            [*initdb, "--auth", "scram-sha-256", "--no-sync"], check=True, stdout=subprocess.DEVNULL, **account
        )
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "port": str(port)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with _process([str(binaries / "postgres"), "-D", str(data), *words], **account):
            dsn = f"postgresql://tester:{PASSWORD}@127.0.0.1:{port}/postgres"
            _wait(lambda: psycopg.connect(dsn).close())
            yield dsn


def forget_stores() -> None:
    """Connections that fsspec keeps know the store of an earlier test: of s3fs, or of ours where `collect` has run."""
    import fsspec
    import s3fs

    for system in (s3fs.S3FileSystem, fsspec.get_filesystem_class("s3")):
        system.clear_instance_cache()


@contextmanager
def s3(bucket: str) -> Iterator[str]:
    """An S3-compatible store with one bucket; gives its endpoint. Any credentials do."""
    import boto3

    forget_stores()
    port = free_port()
    with _process([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]):
        _wait(lambda: socket.create_connection(("127.0.0.1", port)).close())
        endpoint = f"http://127.0.0.1:{port}"
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket=bucket)
        yield endpoint


@contextmanager
def silent() -> Iterator[int]:
    """A port on which connections are accepted, and nothing is ever said."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield int(listening.getsockname()[1])


@contextmanager
def _process(command: list[str], **options: Any) -> Iterator[None]:
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **options
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def _wait(answers: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            answers()
            return
        except (OSError, psycopg.OperationalError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
