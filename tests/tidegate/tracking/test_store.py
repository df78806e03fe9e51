import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import mlflow
import pytest
from alembic.script import ScriptDirectory

from tests.tidegate.tracking.conftest import credentials, secured_server
from tidegate.process.errors import InputError, TrackingError
from tidegate.tracking import database, store

root = Path(__file__).parents[3]
Spawn = Callable[..., subprocess.Popen[str]]
Call = Callable[..., tuple[str, str]]
connect = "from tidegate.tracking import store; store.connect()"


def one_line_from_connect() -> str:
    with pytest.raises(TrackingError) as caught:
        store.connect()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_up_to_date_store_answers(uri: str, name: str) -> None:
    client = store.connect()
    assert client.get_experiment(client.create_experiment(name)).name == name


def test_eight_processes_that_meet_an_empty_database_all_succeed(tmp_path: Path, call: Call) -> None:
    code = (
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "import mlflow.store.tracking.sqlalchemy_workspace_store\n"  # before the forks, which takes most of the time
        "from tidegate.tracking import batch_runs, store\n"
        "def run(_):\n"
        "    barrier.wait()\n"
        "    return batch_runs.batch_run(store.connect(), 'flights', 'ab12', {})\n"
        "forks = get_context('fork')\n"
        "barrier = forks.Barrier(8)\n"
        "with ProcessPoolExecutor(8, forks) as pool:\n"
        "    print(*pool.map(run, range(8)))\n"
    )
    answers, noise = call(tmp_path, code, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    assert len(answers.split()) == 8 and len({*answers.split()}) == 1
    assert noise == ""


def test_eight_processes_that_meet_an_empty_postgres_all_succeed(
    postgres_server: str, tmp_path: Path, spawn: Spawn
) -> None:
    code = (
        "from tidegate.tracking import batch_runs, numbered, store\n"
        "client = store.connect()\n"
        "numbered.ensure(client, 'flights')\n"
        "print(batch_runs.batch_run(client, 'flights', 'ab12', {}))\n"
    )
    with secured_server(tmp_path, postgres_server) as uri:
        given = {"MLFLOW_TRACKING_URI": uri, **credentials}
        crowd = [spawn(tmp_path, "-c", code, **given) for _ in range(8)]
        answers = [process.communicate() for process in crowd]
    assert [process.returncode for process in crowd] == [0] * 8, answers
    assert len({answer for answer, _ in answers}) == 1
    assert {noise for _, noise in answers} == {""}


def test_the_database_and_its_artifacts_lie_together(tmp_path: Path, call: Call) -> None:
    place = tmp_path / "100% # ä"
    place.mkdir()
    code = (
        "from tidegate.tracking import batch_runs, run_data, store\n"
        "client = store.connect()\n"
        "run = batch_runs.batch_run(client, 'flights', 'ab12', {})\n"
        "run_data.files(client, run, {'a.txt': 'text'})\n"
    )
    _, noise = call(place, code, MLFLOW_TRACKING_URI="")
    assert {path.name for path in place.iterdir()} == {"mlflow.db", "mlflow.db.lock", "mlartifacts"}
    assert [path.name for path in place.rglob("a.txt")] == ["a.txt"]
    assert noise == ""


@pytest.mark.parametrize("given", [{"MLFLOW_TRACKING_TOKEN": "hush"}, {"MLFLOW_TRACKING_PASSWORD": "hush"}])
def test_a_password_is_not_sent_where_it_can_be_read(given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.invalid:5000")
    for name, value in {"MLFLOW_TRACKING_USERNAME": "ada", **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI: expected https, because credentials are sent"):
        store.connect()


def test_the_newest_revision_is_read_as_alembic_reads_it() -> None:
    migrations = str(Path(mlflow.__file__).parent / "store/db_migrations")
    assert database.newest_revision() == ScriptDirectory(migrations).get_current_head()


def test_an_older_database_is_upgraded_and_kept(tmp_path: Path, migrated: Path, call: Call) -> None:
    upgrade_to = (
        "import sys\n"
        "from alembic import command\n"
        "from mlflow.store.db.utils import _get_alembic_config, create_sqlalchemy_engine\n"
        "from mlflow.store.tracking.dbmodels.initial_models import Base\n"
        "engine = create_sqlalchemy_engine('sqlite:///mlflow.db')\n"
        "Base.metadata.create_all(engine)\n"
        "config = _get_alembic_config('sqlite:///mlflow.db')\n"
        "with engine.begin() as connection:\n"
        "    config.attributes['connection'] = connection\n"
        "    command.upgrade(config, sys.argv[1])\n"
    )
    call(tmp_path, upgrade_to, "84291f40a231")
    call(tmp_path, connect, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    assert revision(tmp_path / "mlflow.db") == revision(migrated)
    assert revision(tmp_path / "mlflow.db.84291f40a231") == "84291f40a231"


def revision(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_a_database_of_a_newer_mlflow_is_refused(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(migrated.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'fromthefuture'")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    assert "fromthefuture" in one_line_from_connect()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mlflow.db"
    path.write_text("these are notes" * 100)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    assert str(path) in one_line_from_connect()
    assert path.read_text().startswith("these are notes")


def test_another_program_s_database_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "books.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE books (title)")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    assert "books" in one_line_from_connect()


@pytest.mark.parametrize(
    "uri", ["file:./mlruns", "postgresql://me:hunter2@host/db", "sqlite://", "sqlite:///:memory:"]
)
def test_a_store_of_another_kind_is_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    message = one_line_from_connect()
    assert "MLFLOW_TRACKING_URI" in message
    assert "hunter2" not in message


def test_a_closed_port_is_told_in_one_line(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:hunter2@127.0.0.1:{closed_port}")
    message = one_line_from_connect()
    assert "no connection" in message
    assert "hunter2" not in message


def test_a_silent_server_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(store.PROBING, "MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert "no answer" in one_line_from_connect()


@pytest.mark.parametrize(
    ("status", "found"), [(401, "401"), (403, "403"), (404, "another kind"), (200, "another kind")]
)
def test_a_server_that_refuses_is_told_in_one_line(status: int, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html>please\nsign in</html>")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
    message = one_line_from_connect()
    server.shutdown()
    assert found in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("given", "told"), [({}, "http://ours"), ({"MLFLOW_TRACKING_URI": "http://kfp"}, "http://kfp")]
)
def test_on_a_cluster_kubeflow_s_own_tracking_server_comes_first(given: dict[str, str], told: str) -> None:
    environment = {"TIDEGATE_TRACKING_URI": "http://ours", "PATH": os.environ["PATH"], **given}
    words = [sys.executable, "-c", "import os, tidegate; print(os.environ['MLFLOW_TRACKING_URI'])"]
    found = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout == f"{told}\n"
