"""The newest clean tables, from a folder or an S3 prefix, in an in-memory DuckDB: read once, asked often."""

import tempfile
import threading
import weakref
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pyarrow as pa

from tidegate.contract.contract import SQL_TYPE, Contract, quoted
from tidegate.contract.names import folded
from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted
from tidegate.tables.engine import engine, parquet

HISTORY = "history"  # the schema of the event table's earlier rows; those that are asked stand beside them
ASKED = "asked"
CURE = "name the clean tables in serve.tables: a folder, or an S3 prefix such as s3://bucket/clean/"
ENDING = ".parquet"


@dataclass(frozen=True)
class Source:
    """Where the tables are, by the name of each, with what changes when they do."""

    place: str
    system: Any = field(compare=False, repr=False)
    files: Mapping[str, tuple[str, str]]


def find(place: str) -> Source:
    """The tables that are at a place now; InputError where there are none, UnavailableError without an answer."""
    try:
        system, path = fsspec.core.url_to_fs(place, use_listings_cache=False) if "://" in place else _local(place)
        entries = within(limits.STORE_ANSWER_SECONDS, lambda: system.ls(path, detail=True))
    except FileNotFoundError:
        raise InputError(redacted(place), "clean tables", "nothing", CURE) from None
    except Exception as error:  # each kind of store has its own
        raise UnavailableError(redacted(place), "an answer", type(error).__name__, CURE) from None
    files = {
        Path(entry["name"]).stem: (str(entry["name"]), _stamp(entry))
        for entry in sorted(entries, key=lambda entry: str(entry["name"]))
        if str(entry["name"]).endswith(ENDING)
    }
    if not files:
        raise InputError(redacted(place), f"files that end in {ENDING}", "none", CURE)
    return Source(place, system, files)


def _local(place: str) -> tuple[Any, str]:
    return fsspec.filesystem("file"), str(Path(place).absolute())


def _stamp(entry: Mapping[str, Any]) -> str:
    """What changes with the content of a file."""
    return " ".join(str(entry.get(key)) for key in ("ETag", "LastModified", "size", "mtime", "ino"))


class Tables:
    """Clean tables in memory, and a connection to them for each thread that asks."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, contract: Contract, close: ExitStack) -> None:
        self.connection, self._contract, self._threads = connection, contract, threading.local()
        weakref.finalize(self, close.close)

    def asked(self, rows: pa.Table) -> duckdb.DuckDBPyConnection:
        """A connection of this thread, to which the event table has these rows, and none of the same identity."""
        connection = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = self.connection.cursor()
            connection.execute(f"CREATE TEMP TABLE {ASKED} ({_columns(self._contract)})")
            connection.execute(f"CREATE TEMP VIEW {quoted(self._contract.event)} AS {_with_asked(self._contract)}")
        connection.execute(f"DELETE FROM {ASKED}")
        connection.register("given", rows)
        connection.execute(f"INSERT INTO {ASKED} BY NAME SELECT * FROM given")
        connection.unregister("given")
        return connection

    def newest(self, names: Iterable[str]) -> dict[str, Any] | None:
        """These columns of the latest event; None where there is none, or a column is missing."""
        columns, time = ", ".join(map(quoted, names)), quoted(self._contract.time)
        query = f"SELECT {columns} FROM {_history(self._contract)} ORDER BY {time} DESC LIMIT 1"
        try:
            row = self.connection.cursor().execute(query).fetchone()
        except duckdb.Error:
            return None
        return dict(zip(names, row, strict=True)) if row else None


def _columns(contract: Contract) -> str:
    """The event table's columns with their types, as the version's own contract has them."""
    visible = contract.tables[contract.event].visible()
    return ", ".join(f"{quoted(name)} {SQL_TYPE[column.type]}" for name, column in visible.items())


def _history(contract: Contract) -> str:
    return f"{HISTORY}.{quoted(contract.event)}"


def _with_asked(contract: Contract) -> str:
    """The event table as the SQL sees it: what is asked in place of what is known of the same event."""
    identity = ", ".join(map(quoted, contract.identity))
    history = f"SELECT * FROM {_history(contract)} WHERE ({identity}) NOT IN (SELECT ({identity}) FROM {ASKED})"
    return f"{history} UNION ALL BY NAME SELECT * FROM {ASKED}"


def load(source: Source, contract: Contract, sql: str) -> Tables:
    """The tables that the SQL reads, in memory; InputError when one is missing or changes meanwhile."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as scratch:
        paths = {name: fetched(source, name, Path(scratch)) for name in sorted(needed(sql, contract))}
        connection = stack.enter_context(engine(*{path.parent for path in paths.values()}))
        connection.execute(f"CREATE SCHEMA {HISTORY}")
        for name, path in paths.items():
            target = _history(contract) if name == contract.event else quoted(name)
            connection.execute(f"CREATE TABLE {target} AS SELECT * FROM {parquet(path)}")
        if find(source.place) != source:
            raise UnavailableError(
                redacted(source.place), "tables that stay", "others meanwhile", "they are read again"
            )
        connection.execute("SET threads = 1")  # as where the features of the training were computed
        connection.execute("SET lock_configuration = true")
        return Tables(connection, contract, stack.pop_all())


def needed(sql: str, contract: Contract) -> set[str]:
    """The event table, those that it refers to, and the tables of the contract whose names occur in a query."""
    parents = {target.partition(".")[0] for target in contract.tables[contract.event].references.values()}
    return {name for name in contract.tables if folded(name) in folded(sql)} | parents | {contract.event}


def fetched(source: Source, name: str, scratch: Path) -> Path:
    """The file of a table on this machine."""
    if name not in source.files:
        raise InputError(redacted(source.place), f"the table {name}", f"only {', '.join(source.files)}", CURE)
    remote, _ = source.files[name]
    if "://" not in source.place:
        return Path(remote)
    target = scratch / f"{name}{ENDING}"
    within(limits.MOST_TRANSFER_SECONDS, lambda: source.system.get_file(remote, str(target)))
    return target
