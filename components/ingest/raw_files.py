"""Reads the raw files of a table: CSV or Parquet, plain or compressed."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import duckdb

from tidegate.components.ingest.delimited import (
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
from tidegate.components.ingest.named import check_same, named
from tidegate.contract.contract import Table, literal, literals, quoted
from tidegate.contract.names import folded
from tidegate.documents.data_version import tracking
from tidegate.process.errors import ContractError, InputError
from tidegate.tables.engine import columns_of, lack, parquet, real

# By default DuckDB treats rows that begin with # as comments, and skips leading rows that do not fit.
DIALECT = (
    "auto_detect = false, quote = '\"', escape = '\"', comment = '', "
    "hive_partitioning = false, store_rejects = true, rejects_limit = 1000, "
    "rejects_table = 'rejected_rows', rejects_scan = 'rejecting_scans'"
)


def read(connection: duckdb.DuckDBPyConnection, files: Iterable[Path], name: str, table: Table) -> dict[Path, int]:
    """Create the table `name` from its files, with every value as text; returns the number of rows of each file.

    Values that cannot be cast are kept, because validate reports them.
    """
    names = {path: _names(connection, path, table) for path in files}
    check_same(names, table)
    if odd := [text for text in table.missing if set(text) & set(separator(table) + '"\r\n')]:
        expected = "a text without delimiter, quote and line end"
        raise ContractError(f"tables.{name}.missing", expected, repr(odd[0]), "correct contract.yaml")
    columns = {folded(column): column for path in names for column in named(names[path], table)}
    definitions = ", ".join(f"{quoted(column)} VARCHAR" for column in columns.values())
    connection.execute(f"CREATE TABLE {quoted(name)} ({definitions})")
    return {path: _insert(connection, name, path, names[path], table) for path in names}


def files_of(data: Path, name: str, table: Table) -> list[Path]:
    """The files of a table in the data of a problem, as DVC tracks them; InputError if there are none to read."""
    try:
        paths = sorted(filter(tracking(data), data.glob(table.files)))
    except (NotImplementedError, ValueError, IndexError):
        place = f"tables.{name}.files"
        raise ContractError(place, f"a pattern below {data}", repr(table.files), "correct contract.yaml") from None
    if not paths:
        place = f"{data}/{table.files}"
        raise InputError(place, f"the files of table {name}", "none", "add them or correct contract.yaml")
    for path in paths:
        if not path.is_file():
            found = "a folder" if path.is_dir() else "nothing"
            raise InputError(path, "a file", found, f"correct tables.{name}.files in contract.yaml")
        check_readable(path)
    return paths


def check_readable(path: Path) -> None:
    """Raise InputError for a file or a folder without permission to read."""
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise InputError(path, "a readable file or folder", "no permission", "change its permissions")


def _names(connection: duckdb.DuckDBPyConnection, path: Path, table: Table) -> list[str]:
    if path.suffix != ".parquet":
        return header(path, table)
    try:
        names = list(columns_of(connection, parquet(path)))
        own = connection.execute(f"SELECT name FROM parquet_schema({literal(real(path))})").fetchall()
    except duckdb.Error as error:
        raise lack(error) or damaged(path) from None
    renamed = [name for name in names if (name,) not in own]  # by DuckDB: names that differ only in case
    check_different(path, [*names, *(name.rpartition("_")[0] for name in renamed)])
    return names


def damaged(path: Path) -> InputError:
    """The error for a Parquet file that cannot be read."""
    return InputError(path, "a complete Parquet file", "a truncated or damaged one", "create it again")


def _insert(connection: duckdb.DuckDBPyConnection, name: str, path: Path, columns: list[str], table: Table) -> int:
    try:
        with _source(connection, path, columns, table) as (source, texts):
            values = ", ".join(f"{value} AS {quoted(column)}" for column, value in named(texts, table).items())
            inserted = connection.execute(f"INSERT INTO {quoted(name)} BY NAME SELECT {values} FROM {source}")
            rows = int(inserted.fetchall()[0][0])
    except duckdb.Error as error:
        broken = damaged(path) if path.suffix == ".parquet" else _unparsed(path, table.encoding)
        raise lack(error) or broken from None
    if path.suffix != ".parquet":
        _check_rejects(connection, path, table)
    return rows


@contextmanager
def _source(
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
        source = f"read_csv({literal(readable)}, {options}, nullstr = {literals(table.missing)})"
        yield source, {column: quoted(str(number)) for number, column in enumerate(columns)}


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


def _unparsed(path: Path, encoding: str) -> InputError:
    line = odd_line(path, encoding)
    if line is None:
        return InputError(path, "CSV with double quotes", "another format", "save the file as CSV")
    return InputError(f"{path}:{line}", "the line end of the first line", "another one", "use one kind of line end")


def _check_rejects(connection: duckdb.DuckDBPyConnection, path: Path, table: Table) -> None:
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
