"""The sqlite database that serves as the tracking store on one machine: its creation and its migrations."""

import fcntl
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tidegate.documents.formats import replacing
from tidegate.process import limits
from tidegate.process.errors import TrackingError, UnavailableTrackingError

SCHEME = "sqlite:///"
DEFAULT_URI = f"{SCHEME}mlflow.db"


def absolute(uri: str) -> str:
    """The URI with an absolute path; a server's URI is returned unchanged."""
    path = path_of(uri)
    return f"{SCHEME}{path}" if path else uri


def path_of(uri: str) -> Path | None:
    """The database file of a sqlite URI; None for any other URI."""
    name = uri.removeprefix(SCHEME).partition("?")[0]
    if not uri.startswith("sqlite:"):
        return None
    if name in ("", ":memory:") or name == uri:
        raise TrackingError("MLFLOW_TRACKING_URI", "sqlite:///FILE", uri, "name a file")
    return Path(name).absolute()


def artifacts_of(uri: str) -> str | None:
    """The artifact folder of a local database, beside it; None where the server chooses."""
    path = path_of(uri)
    return str(path.parent / "mlartifacts") if path else None


def migrate(path: Path) -> None:
    """Create the database or migrate its tables, under a file lock; an up-to-date one costs one query."""
    head = newest_revision()
    if revision(path) == head:
        return
    with _locked(path):
        current = revision(path)
        if current is None:
            with replacing(path) as temporary:
                _upgrade(temporary)
        elif current != head:
            _keep_copy(path, current)
            _upgrade(path)


@cache
def newest_revision() -> str:
    """The revision of MLflow's migrations that no other follows; alembic runs all of them to learn it."""
    package = find_spec("mlflow")  # without importing it
    folder = Path((package and package.origin) or "", "../store/db_migrations/versions").resolve()
    texts = [file.read_text(encoding="utf-8") for file in folder.glob("*.py")]
    revisions, followed = (
        {str(match) for text in texts for match in re.findall(rf"^{name} = [\"'](\w+)[\"']$", text, re.MULTILINE)}
        for name in ("revision", "down_revision")
    )
    (head,) = revisions - followed
    return head


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file lock; the system releases it when the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def revision(path: Path) -> str | None:
    """The schema revision; None for a database without tables."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with reading(path) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if tables and "alembic_version" not in tables:
                raise _broken(path, f"the tables {', '.join(sorted(tables)[:3])}")
            return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0] if tables else None
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise _broken(path, str(error)) from None
        found, cure = f"one that another process locks for {limits.DATABASE_SECONDS} s", "wait until it has ended"
        raise UnavailableTrackingError(path, "a database that can be read", found, cure) from None
    except sqlite3.DatabaseError as error:
        raise _broken(path, str(error)) from None


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, and waits for a process that has locked the database."""
    read_only = f"{path.as_uri()}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True, timeout=limits.DATABASE_SECONDS)) as connection:
        yield connection


def wait_for_locks() -> None:
    """Let MLflow wait as long as we do for a database that another process has locked; it waits 20 seconds."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it prints the traceback of an error
    if not event.contains(Engine, "before_cursor_execute", _waiting):
        event.listen(Engine, "before_cursor_execute", _waiting, retval=True)


def _waiting(_: object, __: object, statement: str, parameters: object, *___: object) -> tuple[str, object]:
    if statement.startswith("PRAGMA busy_timeout"):
        statement = f"PRAGMA busy_timeout = {limits.DATABASE_SECONDS * 1000}"
    return statement, parameters


def _upgrade(path: Path) -> None:
    from alembic.util import CommandError
    from mlflow.db import upgrade
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    for logger in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    try:
        upgrade.main([f"{SCHEME}{path}"], standalone_mode=False)
    except (CommandError, MlflowException, SQLAlchemyError) as error:
        raise _broken(path, str(error)) from None


def _keep_copy(path: Path, revision: str) -> None:
    with (
        replacing(path.with_name(f"{path.name}.{revision}")) as temporary,
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(temporary)) as copy,
    ):
        source.backup(copy)


def _broken(path: Path, found: str) -> TrackingError:
    return TrackingError(path, "a database of this MLflow or an older one", found, "move it away or restore it")
