"""The rows that are to be predicted: a CSV or Parquet file, or the Parquet files of a folder or a pattern."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from tidegate.contract.contract import Table, literals, quoted
from tidegate.process.errors import InputError
from tidegate.tables.engine import columns_of, lack, real
from tidegate.tables.raw_file import check_readable, check_rejects, names_of, source, unreadable

PARQUET, CSV = ".parquet", (".csv", ".csv.gz")
FORMATS = f"a file that ends in {PARQUET}, {CSV[0]} or {CSV[1]}"
PATTERN = "*?["


@dataclass(frozen=True)
class Incoming:
    """The rows as an SQL relation, with the SQL of each column as text, and of Parquet the types of the columns."""

    place: str
    paths: Sequence[Path]
    relation: str
    texts: dict[str, str]
    kinds: dict[str, str]


def paths_of(place: str) -> list[Path]:
    """The files at a place, in the order of their names; InputError where there is none that can be read."""
    path = Path(place)
    if path.is_dir():
        paths = sorted(path.rglob(f"[!.]*{PARQUET}"))
    elif not path.exists() and set(place) & set(PATTERN):
        paths = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    else:
        paths = [path]
    if not paths or not paths[0].exists():
        raise InputError(place, FORMATS, "nothing", "check the path")
    for file in paths:
        _check_file(file, several=len(paths) > 1)
    return paths


def _check_file(path: Path, several: bool) -> None:
    if not path.is_file() or not path.name.endswith((PARQUET, *CSV)):
        raise InputError(path, FORMATS, "another one" if path.is_file() else "a folder", "name the rows to predict")
    if several and path.suffix != PARQUET:
        raise InputError(path, f"files that end in {PARQUET}", "several of another kind", "name one CSV file")
    check_readable(path)


@contextmanager
def incoming(connection: duckdb.DuckDBPyConnection, place: str, table: Table) -> Iterator[Incoming]:
    """The rows at a place; InputError names the file whose columns cannot be read.

    A CSV file is spelled as the contract says of the event table: its delimiter, encoding and missing values. It has
    names in its first line, whatever the table's files have: without an outcome, places would name other columns.
    """
    paths, spelled = paths_of(place), replace(table, header="names", skip_lines=0)
    names = [names_of(connection, path, spelled) for path in paths]
    _check_same(paths, names)
    with source(connection, paths[0], names[0], spelled) as (relation, texts):
        kinds = columns_of(connection, _all(paths)) if paths[0].suffix == PARQUET else {}
        yield Incoming(place, paths, _all(paths) if kinds else relation, texts, kinds)


@contextmanager
def reading(connection: duckdb.DuckDBPyConnection, rows: Incoming, table: Table) -> Iterator[None]:
    """While the block reads the rows: InputError names the file, and of CSV the line, that cannot be read."""
    try:
        yield
    except duckdb.Error as error:  # its message may quote a value
        raise lack(error) or unreadable(rows.paths[0], table.encoding) from None
    if not rows.kinds:
        check_rejects(connection, rows.paths[0], replace(table, skip_lines=0))


def _all(paths: Sequence[Path]) -> str:
    return f"read_parquet({literals([*map(real, paths)])}, hive_partitioning = false, union_by_name = true)"


def _check_same(paths: Sequence[Path], names: Sequence[Sequence[str]]) -> None:
    for path, columns in zip(paths, names, strict=True):
        if other := sorted(set(columns) ^ set(names[0])):
            raise InputError(
                path, f"the columns of {paths[0].name}", f"others: {', '.join(other)[:80]}", "predict each"
            )


def row_place(connection: duckdb.DuckDBPyConnection, rows: Incoming, row: int) -> str:
    """The file and the number, from 1, of a row in it, of a row of all files; a header is no row."""
    for path in rows.paths:
        count = row if len(rows.paths) == 1 else _count(connection, path)
        if row <= count:
            return f"{path}: row {row:,}"
        row -= count
    raise AssertionError("a row of no file")


def _count(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {_all([path])}").fetchall()[0][0])


def text_at(connection: duckdb.DuckDBPyConnection, rows: Incoming, text: str, row: int) -> str | None:
    """A value as text, by its SQL and its row from 1."""
    query = f"SELECT {text} AS value FROM {rows.relation} LIMIT 1 OFFSET {row - 1}"
    value: str | None = connection.execute(query).fetchall()[0][0]
    return value


def own_or_text(rows: Incoming, name: str) -> str:
    """The SQL of a column that nobody checks: of Parquet as it is."""
    return quoted(name) if rows.kinds else rows.texts[name]
