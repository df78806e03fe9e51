"""Reads the files of a table: CSV or Parquet, plain or compressed."""

from pathlib import Path
from typing import Any

import duckdb

from components.contract import Table, literal, quoted
from components.engine import columns_of, copy
from components.errors import InputError
from components.ingest.casting import failures, typed_rows
from components.raw import reason, texts


def ingest_table(
    connection: duckdb.DuckDBPyConnection, data: Path, name: str, table: Table, until: str, folder: Path
) -> dict[str, Any]:
    """Write the rows before `until` to `<folder>/<name>.parquet`, private columns left out; returns what was read."""
    try:
        read(connection, data, name, table)
        present = columns_of(connection, quoted(name))
        known = {column: table.columns[column] for column in present if column in table.columns}
        counts = connection.execute(f"SELECT {failures(known)} FROM {quoted(name)}").fetchall()[0] if known else ()
        as_text = {column for column, count in zip(known, counts, strict=True) if count}
        rows = typed_rows(quoted(name), table, list(present), as_text, until)
        copy(connection, rows, folder / f"{name}.parquet")
    except duckdb.Error as error:
        raise InputError(f"{data}/{table.files}", "a readable table", reason(error), "mend the file") from None
    connection.execute(f"DROP TABLE {quoted(name)}")
    return _facts(connection, folder / f"{name}.parquet", table, as_text)


def read(connection: duckdb.DuckDBPyConnection, data: Path, name: str, table: Table) -> None:
    """Every value as text first: what cannot be cast must be seen by validate, not lost here."""
    paths = sorted(data.glob(table.files))
    if not paths:
        raise InputError(
            f"{data}/{table.files}", f"the files of table {name}", "none", "add them or mend contract.yaml"
        )
    connection.execute(f"CREATE TABLE {quoted(name)} AS {texts(connection, paths, table.missing)}")


def _facts(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, as_text: set[str]) -> dict[str, Any]:
    source = f"read_parquet({literal(str(path.resolve()))})"
    facts: dict[str, Any] = {
        "rows": connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0],
        "kept_as_text": sorted(as_text),
    }
    if table.time in columns_of(connection, source) and table.time not in as_text:
        months = f"SELECT strftime({quoted(str(table.time))}, '%Y-%m'), count(*) FROM {source} GROUP BY 1 ORDER BY 1"
        facts["rows_per_month"] = {month: rows for month, rows in connection.execute(months).fetchall() if month}
    return facts
