"""Reads the raw files of a table: CSV or Parquet, plain or compressed."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from tidegate.components.ingest.delimited import check_different, header, line_at, odd_line, unended
from tidegate.contract.contract import Table, literal, literals, quoted
from tidegate.process.errors import ContractError, InputError
from tidegate.tables.engine import columns_of, lack, parquet, real

# By default DuckDB treats rows that begin with # as comments, and skips leading rows that do not fit.
DIALECT = (
    "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', comment = '', skip = 0, "
    "hive_partitioning = false, store_rejects = true, rejects_limit = 1000, "
    "rejects_table = 'rejected_rows', rejects_scan = 'rejecting_scans'"
)


def read(connection: duckdb.DuckDBPyConnection, data: Path, name: str, table: Table) -> dict[Path, int]:
    """Create the table `name` from all its files, with every value as text; returns the number of rows of each file.

    Values that cannot be cast are kept, because validate reports them.
    """
    names = {path: _names(connection, path) for path in _files(data, name, table)}
    _check_same(names)
    columns = next(iter(names.values()))
    if odd := [text for text in table.missing if set(text) & set(',"\r\n')]:
        expected = "a text without comma, quote and line end"
        raise ContractError(f"tables.{name}.missing", expected, repr(odd[0]), "correct contract.yaml")
    connection.execute(f"CREATE TABLE {quoted(name)} ({', '.join(f'{quoted(column)} VARCHAR' for column in columns)})")
    return {path: _insert(connection, name, path, names[path], table.missing) for path in names}


def _files(data: Path, name: str, table: Table) -> list[Path]:
    try:
        paths = sorted(data.glob(table.files))
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


def _names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    if path.suffix != ".parquet":
        return header(path)
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


def _check_same(names: Mapping[Path, Iterable[str]]) -> None:
    first = next(iter(names))
    for path, columns in names.items():
        missing, extra = sorted({*names[first]} - {*columns}), sorted({*columns} - {*names[first]})
        if missing or extra:
            differences = [f"no {', '.join(missing)}"] if missing else []
            differences += [f"also {', '.join(extra)}"] if extra else []
            cure = "give all files of a table the same columns"
            raise InputError(path, f"the columns of {first.name}", " and ".join(differences), cure)


def _insert(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, columns: list[str], missing: tuple[str, ...]
) -> int:
    if path.suffix == ".parquet":
        source, texts = parquet(path), [f"{quoted(column)}::VARCHAR AS {quoted(column)}" for column in columns]
    else:
        types = ", ".join(f"'{number}': 'VARCHAR'" for number in range(len(columns)))
        source = f"read_csv({literal(real(path))}, {DIALECT}, columns = {{{types}}}, nullstr = {literals(missing)})"
        texts = [f"{quoted(str(number))} AS {quoted(column)}" for number, column in enumerate(columns)]
    try:
        done = connection.execute(f"INSERT INTO {quoted(name)} BY NAME SELECT {', '.join(texts)} FROM {source}")
        rows = int(done.fetchall()[0][0])
    except duckdb.Error as error:
        raise lack(error) or (damaged(path) if path.suffix == ".parquet" else _unparsed(path)) from None
    if path.suffix != ".parquet":
        _check_rejects(connection, path)
    return rows


def _unparsed(path: Path) -> InputError:
    line = odd_line(path)
    if line is None:
        return InputError(path, "CSV with commas and double quotes", "another format", "save the file as CSV")
    return InputError(f"{path}:{line}", "the line end of the first line", "another one", "use one kind of line end")


def _check_rejects(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise InputError for the first row that DuckDB rejected; DuckDB's own message would quote that row."""
    query = "SELECT line, column_idx, line_byte_position, error_type, error_message FROM rejected_rows"
    rejected = connection.execute(query).fetchall()
    if not rejected:
        return
    connection.execute("DELETE FROM rejected_rows")  # so that the next file starts with none
    first = min(line for line, *_ in rejected)
    cells = [row for row in rejected if row[0] == first]
    _, _, position, kind, message = max(cells) if cells[0][3] == "TOO MANY COLUMNS" else min(cells)
    place = f"{path}:{line_at(path, position)}"
    if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS") and (counts := re.search(r": (\d+) Found: (\d+)", message)):
        raise InputError(
            place, f"{counts[1]} cell{'s' * (counts[1] != '1')} as in the first line", counts[2], "correct that line"
        )
    if kind == "INVALID ENCODING":
        raise InputError(place, "UTF-8 text", "another encoding", "save the file as UTF-8")
    if kind == "LINE SIZE OVER MAXIMUM":
        raise InputError(place, "rows of at most 2,000,000 bytes", "a longer one", "correct that line")
    raise unended(place)
