"""Rows of a Postgres database, as a CSV file in which nothing is lost."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tidegate.contract.source import Source
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted

# A server that has gone silent ends the connection after some 25 s; a query may compute as long as it needs.
TIMEOUTS: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "application_name": "tidegate",
}


# Classes of errors: no connection, a transaction that came off worse, no resources, an operator.
TRANSIENT = ("08", "40", "53", "57")
BUSY = "starting up|shutting down|recovery|too many|connection slots"


def query(source: Source, watermark: str, until: str, path: Path) -> None:
    """Write what the query of `source` returns to `path`; InputError when the database does not answer it.

    One snapshot, read only, times as UTC; empty texts for `watermark` and `until` are before and after all time.
    """
    name = str(source.postgres)
    dsn = os.environ.get(name)
    if not dsn:
        raise InputError(f"environment variable {name}", "the connection string of the database", "nothing", "set it")
    try:
        with psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor, **TIMEOUTS) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET client_encoding = 'UTF8'")
            _copy(connection, str(source.query), watermark, until, path)
    except psycopg.Error as error:
        kind = UnavailableError if _is_transient(error) else InputError
        raise kind(f"the database of {name}", "an answer to `query`", _message(error, dsn), "mend it") from None


def _copy(connection: "psycopg.Connection[tuple[object]]", query: str, watermark: str, until: str, path: Path) -> None:
    moments = {"watermark": watermark or "-infinity", "until": until or "infinity"}
    cursor = connection.cursor()
    assert isinstance(cursor, psycopg.ClientCursor)
    # Without a moment in it, a query may have single percent signs.
    text = cursor.mogrify(query, moments) if "%(" in query else query
    # The line break ends a comment that ends the query.
    statement = f"COPY ({text.rstrip().rstrip(';')}\n) TO STDOUT (FORMAT csv, HEADER)"
    with path.open("wb") as file, cursor.copy(statement.encode()) as rows:
        for block in rows:
            file.write(block)


def _is_transient(error: psycopg.Error) -> bool:
    """Whether the database may answer later; who is let in and where to is said with FATAL, and without a code."""
    if error.sqlstate:
        return error.sqlstate.startswith(TRANSIENT)
    said = str(error)
    turned_away = "FATAL" in said and not re.search(BUSY, said)
    return isinstance(error, psycopg.OperationalError) and not turned_away


def _message(error: psycopg.Error, dsn: str) -> str:
    """The reason without secrets, and without the values of rows, which errors of class 22 quote."""
    if (error.sqlstate or "").startswith("22"):
        return f"{type(error).__name__} in a row"
    return redacted(str(error), _secrets(dsn))


def _secrets(dsn: str) -> Iterable[str]:
    yield from (word for word in (dsn, *dsn.split()) if len(word) > 7)
    try:
        password = conninfo_to_dict(dsn).get("password")
    except psycopg.ProgrammingError:  # that it is no connection string is what is being told
        return
    if password:
        yield str(password)
