"""Copies the rows of a Postgres query to a lossless CSV file."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tidegate.contract.source import Source
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted, secret
from tidegate.process.transport import is_near

# A silent server is detected after about 25 s; the duration of a query is not limited.
TIMEOUTS: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "application_name": "tidegate",
}

ENCRYPTED = ("require", "verify-ca", "verify-full")

# Classes of transient SQLSTATEs: connection, transaction rollback, resources, operator intervention.
TRANSIENT = ("08", "40", "53", "57")
BUSY = "starting up|shutting down|recovery|too many|connection slots"


def query(source: Source, watermark: str, until: str, path: Path) -> None:
    """Write the result of the query of `source` to `path`; InputError if the query fails.

    It runs read-only in one snapshot, with times in UTC. An empty `watermark` or `until` sets no limit.
    """
    name = str(source.postgres)
    dsn = secret(name)
    if not dsn:
        raise InputError(f"environment variable {name}", "the connection string of the database", "nothing", "set it")
    try:
        settings = {**TIMEOUTS, **encryption(dsn, bool(source.insecure))}
        with psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor, **settings) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET client_encoding = 'UTF8'")
            _copy(connection, str(source.query), watermark, until, path)
    except psycopg.Error as error:
        kind = UnavailableError if _is_transient(error) else InputError
        raise kind(f"the database of {name}", "an answer to `query`", _message(error, dsn), "correct it") from None


def encryption(dsn: str, insecure: bool) -> dict[str, str]:
    """The settings that encrypt a connection beyond this machine and the cluster; libpq by itself only prefers it.

    InputError if the connection string refuses encryption, unless `insecure` allows to go without.
    """
    settings = conninfo_to_dict(dsn)
    places = [settings.get(key) or os.environ.get(f"PG{key.upper()}") for key in ("host", "hostaddr")]
    hosts = [host for place in places if place for host in str(place).split(",")]
    service = settings.get("service") or os.environ.get("PGSERVICE")  # it names a host in a file
    near = not service and all(not host or host.startswith(("/", "@")) or is_near(host) for host in hosts)
    mode = str(settings.get("sslmode") or os.environ.get("PGSSLMODE") or "require")
    if near or insecure or mode in ENCRYPTED:
        return {} if near or insecure else {"sslmode": mode}
    expected = f"sslmode {', '.join(ENCRYPTED)}, because a password is sent"
    raise InputError("the connection string", expected, mode, "change it, or write `insecure: true` in `source`")


def _copy(connection: "psycopg.Connection[tuple[object]]", query: str, watermark: str, until: str, path: Path) -> None:
    moments = {"watermark": watermark or "-infinity", "until": until or "infinity"}
    cursor = connection.cursor()
    assert isinstance(cursor, psycopg.ClientCursor)
    # Without parameters, a query may contain single percent signs.
    text = cursor.mogrify(query, moments) if "%(" in query else query
    # The line break ends a comment at the end of the query.
    statement = f"COPY ({text.rstrip().rstrip(';')}\n) TO STDOUT (FORMAT csv, HEADER)"
    with path.open("wb") as file, cursor.copy(statement.encode()) as rows:
        for block in rows:
            file.write(block)


def _is_transient(error: psycopg.Error) -> bool:
    """Whether an error is transient; errors of authentication have FATAL in their message, and no SQLSTATE."""
    if error.sqlstate:
        return error.sqlstate.startswith(TRANSIENT)
    message = str(error)
    denied = "FATAL" in message and not re.search(BUSY, message)
    return isinstance(error, psycopg.OperationalError) and not denied


def _message(error: psycopg.Error, dsn: str) -> str:
    """The message of an error without secrets, and without values, which errors of class 22 quote."""
    if (error.sqlstate or "").startswith("22"):
        return f"{type(error).__name__} in a row"
    return redacted(str(error), _secrets(dsn))


def _secrets(dsn: str) -> Iterable[str]:
    yield from (word for word in (dsn, *dsn.split()) if len(word) > 7)
    try:
        password = conninfo_to_dict(dsn).get("password")
    except psycopg.ProgrammingError:  # an invalid connection string is the error itself
        return
    if password:
        yield str(password)
