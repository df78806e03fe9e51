"""Reads the rows once, into a Parquet file: each value in its type, each row with the first promise that it breaks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb

from tidegate.components.predict.file_columns import FAULT, ROW, Columns
from tidegate.components.predict.incoming import Incoming, reading, row_place, text_at
from tidegate.components.predict.promises import Check, checks, first_broken, unlike
from tidegate.contract.contract import Table, quoted
from tidegate.process import limits
from tidegate.process.errors import InputError, display
from tidegate.tables.engine import copy, engine, parquet

ROWS, LATE = "rows.parquet", "late.parquet"


class Bad(NamedTuple):
    """How many rows break a promise, the first of them (from 1), and the promise that it breaks."""

    rows: int
    first: int
    check: Check


@contextmanager
def workshop(scratch: Path, *folders: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for files of any size: what does not fit into its memory is in files in `scratch`."""
    with engine(scratch, *folders, spill=scratch) as connection:
        connection.execute(f"SET memory_limit = '{limits.PREDICT_MEGABYTES}MB'")
        # The statistics of a Parquet file ignore NaN, and then a comparison with NaN is answered from them.
        connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        yield connection


def stage(connection: duckdb.DuckDBPyConnection, rows: Incoming, columns: Columns, table: Table, scratch: Path) -> int:
    """Write the rows with their numbers (from 1) and their faults; returns how many there are."""
    values = [f"{sql} AS {quoted(name)}" for name, sql in {**columns.others, **columns.typed}.items()]
    other = [
        f"{columns.texts[name]} IS NOT NULL AND {columns.typed[name]} IS NULL AS {quoted(unlike(name))}"
        for name in columns.fields
    ]
    read = f"SELECT row_number() OVER () AS {quoted(ROW)}, {', '.join([*values, *other])} FROM {rows.relation}"
    fault = first_broken([check.broken for check in checks(columns.fields)])
    without = ", ".join(quoted(unlike(name)) for name in columns.fields)
    query = f"SELECT * EXCLUDE ({without}), {fault} AS {quoted(FAULT)} FROM ({read})"
    with reading(connection, rows, table):
        count = copy(connection, query, scratch / ROWS)
    if not count:
        raise InputError(rows.place, "at least one row", "none", "add rows")
    return count


def bad_rows(connection: duckdb.DuckDBPyConnection, file: Path, promises: Sequence[Check]) -> Bad | None:
    """The rows of a file with a fault; None where there are none."""
    query = (
        f"SELECT count(*), min({quoted(ROW)}), arg_min({quoted(FAULT)}, {quoted(ROW)}) "
        f"FROM {parquet(file)} WHERE {quoted(FAULT)} IS NOT NULL"
    )
    count, row, fault = connection.execute(query).fetchall()[0]
    return Bad(count, row, promises[fault]) if count else None


def refusal(
    connection: duckdb.DuckDBPyConnection, rows: Incoming, columns: Columns, bad: Bad, total: int
) -> InputError:
    """The error for a file with bad rows: it names the first one, and no value that says who somebody is."""
    field = columns.fields.get(bad.check.field)
    place = row_place(connection, rows, bad.first)
    actual = bad.check.otherwise
    if field:
        value = text_at(connection, rows, columns.texts[bad.check.field], bad.first)
        secret = field.hidden or bad.check.field in columns.hidden
        actual = "null" if value is None else "another value" if secret else display(value)
    cure = f"correct it, or set the bad rows ({bad.rows:,} of {total:,}) aside with --skip-bad"
    return InputError(f"{place}: {bad.check.field}" if bad.check.field else place, bad.check.expected, actual, cure)
