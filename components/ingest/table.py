"""Ingests one table: typed where possible, in total order, with facts for the manifest."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from tidegate.components.ingest.casts import failures, first_failure, known_by, typed_rows
from tidegate.components.ingest.raw_files import read
from tidegate.contract.contract import Table, quoted
from tidegate.documents.manifest import Example, IngestedTable
from tidegate.process.errors import InputError, display
from tidegate.tables.engine import columns_of, copy, lack, parquet
from tidegate.tables.failures import failure


def ingest_table(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], name: str, table: Table, until: str, folder: Path
) -> IngestedTable:
    """Write the rows before `until` to `<folder>/<name>.parquet`, private columns left out; returns what was read."""
    path = folder / f"{name}.parquet"
    try:
        rows_of = read(connection, files, name, table)
        present = columns_of(connection, quoted(name))
        typed = {column: table.columns[column] for column in present if column in table.columns}
        counts = connection.execute(f"SELECT {failures(typed)} FROM {quoted(name)}").fetchall()[0] if typed else ()
        as_text = [column for column, count in zip(typed, counts, strict=True) if count]
        rows = copy(connection, typed_rows(quoted(name), table, list(present), set(as_text), until), path)
        examples = _examples(connection, name, table, list(present), as_text, rows_of, until)
    except duckdb.Error as error:  # its message may quote a value
        place = files[0].parent / table.files
        raise lack(error) or InputError(place, "a readable table", failure(error), "correct the file") from None
    connection.execute(f"DROP TABLE {quoted(name)}")
    timed = table.time in present and table.time not in as_text
    months = _months(connection, path, str(table.time)) if timed else None
    return IngestedTable(rows, tuple(sorted(as_text)), examples or None, months)


def _examples(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: Table,
    present: Sequence[str],
    as_text: Sequence[str],
    files: Mapping[Path, int],
    until: str,
) -> dict[str, Example]:
    """Per column the first text that cannot be cast, with its file and its row there; no value that says who it is."""
    examples: dict[str, Example] = {}
    if "rowid" in map(str.lower, present):  # then DuckDB has no name for the position of a row
        return examples
    for column in [column for column in as_text if column in table.visible()]:
        rows = f"FROM {quoted(name)} WHERE {known_by(table, present, until)}"
        query = f"SELECT {first_failure(column, table.columns[column])} {rows}"
        row, value = connection.execute(query).fetchall()[0]
        if row is not None:
            file, place = _place(files, row)
            private = column in table.identifying()
            examples[column] = Example(value=None if private else display(value), file=file, row=place)
    return examples


def _place(files: Mapping[Path, int], row: int) -> tuple[str, int]:
    """The file and the row in it (from 1) of a row (from 0) of all files one after the other."""
    for path, rows in files.items():
        if row < rows:
            return path.name, row + 1
        row -= rows
    raise AssertionError("a row of no file")


def _months(connection: duckdb.DuckDBPyConnection, path: Path, time: str) -> dict[str, int]:
    months = f"SELECT strftime({quoted(time)}, '%Y-%m'), count(*) FROM {parquet(path)} GROUP BY 1 ORDER BY 1"
    return {month: rows for month, rows in connection.execute(months).fetchall() if month}
