"""Reads the raw files of a table: CSV or Parquet, plain or compressed."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from tidegate.contract.contract import Table, quoted
from tidegate.contract.names import folded
from tidegate.documents.data_version import tracking
from tidegate.process.errors import ContractError, InputError
from tidegate.tables.delimited import separator
from tidegate.tables.engine import lack
from tidegate.tables.named import check_same, named
from tidegate.tables.raw_file import check_readable, check_rejects, names_of, source, unreadable


def read(connection: duckdb.DuckDBPyConnection, files: Iterable[Path], name: str, table: Table) -> dict[Path, int]:
    """Create the table `name` from its files, with every value as text; returns the number of rows of each file.

    Values that cannot be cast are kept, because validate reports them.
    """
    names = {path: names_of(connection, path, table) for path in files}
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


def _insert(connection: duckdb.DuckDBPyConnection, name: str, path: Path, columns: list[str], table: Table) -> int:
    try:
        with source(connection, path, columns, table) as (relation, texts):
            values = ", ".join(f"{value} AS {quoted(column)}" for column, value in named(texts, table).items())
            # The statistics of a Parquet file ignore NaN: it would be read as the value that all other rows have.
            connection.execute("SET disabled_optimizers = 'statistics_propagation'")
            inserted = connection.execute(f"INSERT INTO {quoted(name)} BY NAME SELECT {values} FROM {relation}")
            rows = int(inserted.fetchall()[0][0])
    except duckdb.Error as error:
        raise lack(error) or unreadable(path, table.encoding) from None
    finally:
        connection.execute("SET disabled_optimizers = ''")
    if path.suffix != ".parquet":
        check_rejects(connection, path, table)
    return rows
