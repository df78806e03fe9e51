"""Ingests one table: typed where possible, in total order, with facts for the manifest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from tidegate.components.ingest.casts import failures, first_failure, known_by, typed_rows
from tidegate.components.ingest.raw_files import read
from tidegate.contract.contract import Table, quoted
from tidegate.process.errors import InputError, display
from tidegate.tables.engine import columns_of, copy, lack, parquet


def ingest_table(
    connection: duckdb.DuckDBPyConnection, data: Path, name: str, table: Table, until: str, folder: Path
) -> dict[str, Any]:
    """Write the rows before `until` to `<folder>/<name>.parquet`, without private columns; returns the facts."""
    path = folder / f"{name}.parquet"
    try:
        files = read(connection, data, name, table)
        present = columns_of(connection, quoted(name))
        known = {column: table.columns[column] for column in present if column in table.columns}
        counts = connection.execute(f"SELECT {failures(known)} FROM {quoted(name)}").fetchall()[0] if known else ()
        as_text = [column for column, count in zip(known, counts, strict=True) if count]
        rows = copy(connection, typed_rows(quoted(name), table, list(present), set(as_text), until), path)
        examples = _examples(connection, name, table, list(present), as_text, files, until)
    except duckdb.Error as error:  # its message may quote a value
        kind = type(error).__name__
        place = f"{data}/{table.files}"
        raise lack(error) or InputError(place, "a readable table", kind, "correct the file") from error
    connection.execute(f"DROP TABLE {quoted(name)}")
    facts = {"rows": rows, "kept_as_text": sorted(as_text), **({"examples": examples} if examples else {})}
    timed = table.time in present and table.time not in as_text
    return facts | ({"rows_per_month": _months(connection, path, str(table.time))} if timed else {})


def _examples(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: Table,
    present: Sequence[str],
    as_text: Sequence[str],
    files: Mapping[Path, int],
    until: str,
) -> dict[str, dict[str, Any]]:
    """The first text per column that cannot be cast, with its file and row; no values of identifying columns."""
    found: dict[str, dict[str, Any]] = {}
    if "rowid" in map(str.lower, present):  # then a column hides DuckDB's row numbers
        return found
    for column in [column for column in as_text if column in table.visible()]:
        rows = f"FROM {quoted(name)} WHERE {known_by(table, present, until)}"
        query = f"SELECT {first_failure(column, table.columns[column])} {rows}"
        row, value = connection.execute(query).fetchall()[0]
        if row is not None:
            example = {} if column in table.identifying() else {"value": display(value)}
            found[column] = example | _place(files, row)
    return found


def _place(files: Mapping[Path, int], row: int) -> dict[str, Any]:
    """The file and the row in it (from 1) of a row (from 0) of the concatenated files."""
    for path, rows in files.items():
        if row < rows:
            return {"file": path.name, "row": row + 1}
        row -= rows
    raise AssertionError("a row of no file")


def _months(connection: duckdb.DuckDBPyConnection, path: Path, time: str) -> dict[str, int]:
    months = f"SELECT strftime({quoted(time)}, '%Y-%m'), count(*) FROM {parquet(path)} GROUP BY 1 ORDER BY 1"
    return {month: rows for month, rows in connection.execute(months).fetchall() if month}
