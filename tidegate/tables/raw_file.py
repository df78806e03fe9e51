"""Reads one raw file, CSV or Parquet, plain or compressed, with every value as text."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import duckdb

from tidegate.contract.contract import Table, literal, literals, quoted
from tidegate.process.errors import InputError
from tidegate.tables.delimited import (
    SPACES,
    check_different,
    header,
    is_utf8,
    line_at,
    odd_line,
    opened,
    other_encoding,
    separator,
    unended,
)
from tidegate.tables.engine import columns_of, lack, parquet, real

# By default DuckDB treats rows that begin with # as comments, and skips leading rows that do not fit.
DIALECT = (
    "auto_detect = false, quote = '\"', escape = '\"', comment = '', "
    "hive_partitioning = false, store_rejects = true, rejects_limit = 1000, "
    "rejects_table = 'rejected_rows', rejects_scan = 'rejecting_scans'"
)


def check_readable(path: Path) -> None:
    """Raise InputError for a file or a folder without permission to read."""
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise InputError(path, "a readable file or folder", "no permission", "change its permissions")


def names_of(connection: duckdb.DuckDBPyConnection, path: Path, table: Table) -> list[str]:
    """The columns of a file; InputError for a damaged one, and for names that SQL cannot tell apart."""
    if path.suffix != ".parquet":
        return header(path, table)
    try:
        names = list(columns_of(connection, parquet(path)))
        own = connection.execute(f"SELECT name FROM parquet_schema({literal(real(path))})").fetchall()
    except duckdb.Error as error:
        raise lack(error) or _damaged(path) from None
    renamed = [name for name in names if (name,) not in own]  # by DuckDB: names that differ only in case
    check_different(path, [*names, *(name.rpartition("_")[0] for name in renamed)])
    return names


@contextmanager
def source(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: list[str], table: Table
) -> Iterator[tuple[str, dict[str, str]]]:
    """The SQL source of a file, and the SQL of each of its columns as text."""
    if path.suffix == ".parquet":
        kinds = columns_of(connection, parquet(path))
        yield parquet(path), {column: _parquet_text(column, kinds[column]) for column in columns}
        return
    types = ", ".join(f"'{number}': 'VARCHAR'" for number in range(len(columns)))
    first = f"header = {str(table.header != 'none').lower()}, skip = {table.skip_lines}"
    options = f"delim = {literal(separator(table))}, {first}, {DIALECT}, columns = {{{types}}}"
    with _readable(connection, path, table) as readable:
        relation = f"read_csv({literal(readable)}, {options}, nullstr = {literals(table.missing)})"
        yield relation, {column: quoted(str(number)) for number, column in enumerate(columns)}


def _parquet_text(column: str, kind: str) -> str:
    """The SQL of a Parquet value as text; NaN is null."""
    text = f"{quoted(column)}::VARCHAR"
    # isnan() is wrong here: DuckDB answers it from the file's statistics, which ignore NaN.
    return f"nullif({text}, 'nan')" if kind in ("FLOAT", "DOUBLE") else text


@contextmanager
def _readable(connection: duckdb.DuckDBPyConnection, path: Path, table: Table) -> Iterator[str]:
    """The path of the file as DuckDB reads it: the file itself, or a converted copy in DuckDB's temporary folder."""
    if is_utf8(table.encoding) and table.delimiter != SPACES:
        yield real(path)
        return
    folder = Path(connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])
    folder.mkdir(exist_ok=True)
    with NamedTemporaryFile(suffix=".csv", dir=folder) as copied:
        with opened(path, table.encoding, table.delimiter) as stream:
            shutil.copyfileobj(stream, copied)
        copied.flush()
        yield copied.name


def _damaged(path: Path) -> InputError:
    """The error for a Parquet file that cannot be read."""
    return InputError(path, "a complete Parquet file", "a truncated or damaged one", "create it again")


def unreadable(path: Path, encoding: str) -> InputError:
    """The error for a file that DuckDB cannot read."""
    if path.suffix == ".parquet":
        return _damaged(path)
    line = odd_line(path, encoding)
    if line is None:
        return InputError(path, "CSV with double quotes", "another format", "save the file as CSV")
    return InputError(f"{path}:{line}", "the line end of the first line", "another one", "use one kind of line end")


def check_rejects(connection: duckdb.DuckDBPyConnection, path: Path, table: Table) -> None:
    """Raise InputError for the first row that DuckDB rejected; DuckDB's own message would quote that row."""
    query = "SELECT line, column_idx, line_byte_position, error_type, error_message FROM rejected_rows"
    rejected = connection.execute(query).fetchall()
    if not rejected:
        return
    connection.execute("DELETE FROM rejected_rows")  # so that the next file starts with none
    first = min(line for line, *_ in rejected)
    cells = [row for row in rejected if row[0] == first]
    _, _, position, kind, message = max(cells) if cells[0][3] == "TOO MANY COLUMNS" else min(cells)
    place = f"{path}:{line_at(path, position, table)}"
    if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS") and (counts := re.search(r": (\d+) Found: (\d+)", message)):
        if counts[1] == "1":  # as below the title of a report
            names, cure = f"the names of {counts[2]} columns", "say how many lines are above the names: `skip_lines`"
            raise InputError(f"{path}:{table.skip_lines + 1}", names, "a single cell", f"{cure} in contract.yaml")
        first = "the first line" if table.skip_lines == 0 else f"line {table.skip_lines + 1}"
        raise InputError(place, f"{counts[1]} cells as in {first}", counts[2], "correct that line")
    if kind == "INVALID ENCODING":
        raise other_encoding(place)
    if kind == "LINE SIZE OVER MAXIMUM":
        raise InputError(place, "rows of at most 2,000,000 bytes", "a longer one", "correct that line")
    raise unended(place)
