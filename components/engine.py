"""DuckDB the way every step uses it: UTC, and no file but those it is given."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from components.contract import literal, quoted
from components.formats import tables_in


@contextmanager
def engine(*folders: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads and writes below `folders` only; spills to disk what memory does not hold."""
    # DuckDB would spill into the working directory, which in a container nobody may write.
    with tempfile.TemporaryDirectory(prefix="duckdb-") as spill, duckdb.connect() as connection:
        allowed = ", ".join(literal(f"{folder.resolve()}/") for folder in folders)
        connection.execute("SET timezone = 'UTC'")
        connection.execute(f"SET temp_directory = {literal(spill)}")
        connection.execute(f"SET allowed_directories = [{allowed}]")
        connection.execute("SET enable_external_access = false")
        yield connection


def view_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Make every Parquet table of `folder` a view of its own name; return the names."""
    paths = tables_in(folder.resolve())
    for name, path in paths.items():
        connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM read_parquet({literal(str(path))})")
    return list(paths)


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Column names and SQL types of a table, a view or a parenthesised query."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {row[0]: row[1] for row in rows}


def copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a query that has a total order to Parquet."""
    connection.execute(f"COPY ({query}) TO {literal(str(path.resolve()))} (FORMAT parquet, COMPRESSION zstd)")
