"""Adds the new rows of a table's source to its files."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from tidegate.components.collect.files import download
from tidegate.components.collect.merge import Merged, merge
from tidegate.components.collect.new_rows import FILE, WITH_FILE
from tidegate.components.collect.postgres import query
from tidegate.contract.contract import Table, literal, quoted
from tidegate.contract.source import Source
from tidegate.documents.durations import interval
from tidegate.process.errors import InputError
from tidegate.tables.engine import cast, columns_of, engine
from tidegate.tables.failures import failure
from tidegate.tables.raw import DIALECT, texts

MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S.%f+00"


def gather(name: str, table: Table, source: Source, data: Path, until: str, folder: Path) -> Merged | None:
    """Add the rows of the source before `until` (empty: all) that the files below `data` lack; None if there are none.

    `until` limits the watermark if there is one, else the time of the table. Queries begin at the latest watermark.
    """
    folder.mkdir()
    with engine(data, folder) as connection:
        try:
            if source.postgres:
                query(source, latest(connection, table, source, data), until, folder / "answer.csv")
                came = _answer(connection, table, folder / "answer.csv", f"query of {name}")
            else:
                came = _files(connection, table, download(source, folder))
            order = cast(quoted(source.watermark), "timestamp") if source.watermark else FILE
            return merge(connection, table, data, came, order, _cut(source.watermark or table.time, until))
        except duckdb.Error as error:
            raise InputError(f"source of {name}", "readable rows", failure(error), "correct it") from None


def latest(connection: duckdb.DuckDBPyConnection, table: Table, source: Source, data: Path) -> str:
    """The latest watermark of the table's files, minus the overlap; empty if there is none."""
    paths = sorted(data.glob(table.files))
    if not paths or not source.watermark:
        return ""
    value = f"max({cast(quoted(source.watermark), 'timestamp')}) - {interval(source.overlap or '1h')}"
    latest_moment = f"SELECT strftime({value}, '{MOMENT_FORMAT}') FROM ({texts(connection, paths, table.missing)})"
    return str(connection.execute(latest_moment).fetchall()[0][0] or "")


def _answer(connection: duckdb.DuckDBPyConnection, table: Table, path: Path, label: str) -> str:
    # Postgres writes the empty text in quotes, and null without.
    nulls = "all_varchar = true, nullstr = '', allow_quoted_nulls = false"
    rows = f"read_csv({literal(str(path.resolve()))}, {DIALECT}, {nulls})"
    _check_columns(connection, table, rows, label)
    return f"SELECT *, '' AS {FILE} FROM {rows}"


def _files(connection: duckdb.DuckDBPyConnection, table: Table, labels: Mapping[Path, str]) -> str:
    for path, label in labels.items():
        _check_columns(connection, table, f"({texts(connection, [path], table.missing)})", label)
    kinds = [[path for path in labels if (path.suffix == ".parquet") == parquet] for parquet in (False, True)]
    return " UNION ALL BY NAME ".join(texts(connection, paths, table.missing, WITH_FILE) for paths in kinds if paths)


def _check_columns(connection: duckdb.DuckDBPyConnection, table: Table, relation: str, label: str) -> None:
    """Raise InputError unless a source has exactly the columns of its table."""
    present = columns_of(connection, relation)
    lacking = [f"no {name}" for name in table.columns if name not in present]
    beyond = [f"also {name}" for name in present if name not in table.columns]
    if lacking or beyond:
        raise InputError(label, "the table's columns", ", ".join(lacking + beyond), "correct `source` or the contract")


def _cut(column: str | None, until: str) -> str:
    if not column or not until:
        return "true"
    time = cast(quoted(column), "timestamp")
    return f"({time} < TIMESTAMP {literal(until)} OR {time} IS NULL)"
