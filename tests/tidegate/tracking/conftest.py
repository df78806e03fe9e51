"""The stores that the tracking tests run against: a sqlite file, and a server on Postgres where one signs in."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from werkzeug.security import generate_password_hash

from tests.servers import PASSWORD
from tests.servers.programs import postgres, s3

root = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real server with its own copy of the database."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(migrated, folder / "mlflow.db")
    with serving(folder, "sqlite:///mlflow.db", "--workers", "1") as uri:
        yield uri


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real server on an empty Postgres, with two workers; one signs in as `credentials` say.

    Its artifacts are in an S3-compatible store under a name that only the server can resolve, as on a cluster.
    """
    with postgres() as dsn, s3("mlflow") as endpoint:
        elsewhere = {
            "MLFLOW_S3_ENDPOINT_URL": "http://object-store:8333",
            "HTTP_PROXY": endpoint,  # the store takes what is asked of that name
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        words = ("--artifacts-destination", "s3://mlflow")
        with secured_server(tmp_path_factory.mktemp("secured"), dsn, *words, **elsewhere) as uri:
            yield uri


# Whom the pods of a cluster sign in as: MLflow asks its admin for no permission, and tells others less.
USER = "tidegate"
credentials = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}


@contextmanager
def secured_server(folder: Path, dsn: str, *words: str, **elsewhere: str) -> Iterator[str]:
    """A server on this Postgres database, which need not have tables, with basic-auth."""
    database = dsn.replace("postgresql://", "postgresql+psycopg://")
    (folder / "auth.ini").write_text(
        "[mlflow]\ndefault_permission = NO_PERMISSIONS\n"
        f"database_uri = {database}\nadmin_username = admin\nadmin_password = {PASSWORD}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    given = {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the tests"}
    basic = ("--workers", "2", "--app-name", "basic-auth")
    with serving(folder, database, *basic, *words, **given, **elsewhere) as uri:
        add_user(uri, USER)
        _make_hash_cheap(dsn)
        yield uri


def add_user(uri: str, name: str) -> None:
    """Let the admin add a user with the password of all."""
    body = json.dumps({"username": name, "password": PASSWORD}).encode()
    signed = b64encode(f"admin:{PASSWORD}".encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {signed}"}
    request = urllib.request.Request(f"{uri}/api/2.0/mlflow/users/create", data=body, headers=headers)
    urllib.request.urlopen(request, timeout=60).close()


def _make_hash_cheap(dsn: str) -> None:
    """One sign-in is a tenth of a second of hashing by default, and each request signs in."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        cheap = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
        changed = connection.execute("UPDATE users SET password_hash = %s", (cheap,))
        assert changed.rowcount == 2


@contextmanager
def serving(folder: Path, database: str, *words: str, **given: str) -> Iterator[str]:
    """An MLflow server with its files in a folder; gives its URI."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--backend-store-uri", database]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **given}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--artifacts-destination", "artifacts", *words],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def sqlite_uri(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URI of a database of the test's own."""
    shutil.copy(request.getfixturevalue("migrated"), folder / "mlflow.db")
    return f"sqlite:///{folder}/mlflow.db"


def secured_uri(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URI of the server on Postgres; this process has its credentials."""
    for key, value in credentials.items():
        request.getfixturevalue("monkeypatch").setenv(key, value)
    return str(request.getfixturevalue("secured"))


stores: dict[str, Callable[[pytest.FixtureRequest, Path], str]] = {
    "sqlite": sqlite_uri,
    "postgres": secured_uri,
}


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every store in turn, as the process's MLFLOW_TRACKING_URI."""
    found = stores[request.param](request, tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", found)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    return found


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A name that no other test uses on a shared store."""
    return tmp_path.name


def start(folder: Path, *command: str, **environment: str) -> subprocess.Popen[str]:
    """Start Python with this command line, the repository on its path, in a folder."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process that must succeed says on its two streams."""
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out.strip(), err


@pytest.fixture
def spawn() -> Callable[..., subprocess.Popen[str]]:
    """Starts Python processes."""
    return start


@pytest.fixture
def call() -> Callable[..., tuple[str, str]]:
    """Runs Python code in a process of its own; returns what it says on its two streams."""
    return lambda folder, code, *arguments, **environment: output(start(folder, "-c", code, *arguments, **environment))


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    return free_port()


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the URL answers or its process has ended."""
    while process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server ended with {process.returncode}")
