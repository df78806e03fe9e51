"""The DuckDB connection of every step: UTC, and access to given folders only."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tidegate.contract.contract import SQL_TYPE, literal, quoted
from tidegate.contract.forms import formed
from tidegate.documents.formats import tables_in
from tidegate.process.errors import InputError
from tidegate.tables.failures import failure

FIRST_MOMENT, LAST_MOMENT = "TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
LACKS = {
    "no space left on device": ("room to write", "free some"),
    "disk quota exceeded": ("room to write", "free some"),
    "permission denied": ("a writable place", "change its permissions"),
    "read-only file system": ("a writable place", "name another one"),
}


@contextmanager
def engine(*folders: Path, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read and write below `folders` only.

    Data that exceeds memory spills to a temporary folder below `spill`, by default the system's.
    No message of an error that leaves it contains a value of a row.
    """
    with tempfile.TemporaryDirectory(prefix=".spill-", dir=spill) as spilled, duckdb.connect() as connection:
        allowed = ", ".join(literal(f"{folder.resolve()}/") for folder in folders)
        connection.execute("SET timezone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")  # it goes to stdout, where there may be JSON
        connection.execute(f"SET temp_directory = {literal(str(Path(spilled).resolve()))}")
        connection.execute(f"SET allowed_directories = [{allowed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET parquet_metadata_cache = true")  # safe, because a written table never changes
        try:
            yield connection
        except duckdb.Error as error:
            raise lack(error) or type(error)(failure(error)) from None


def lack(error: duckdb.Error) -> InputError | None:
    """The error for a lack of disk space, memory or permission; None if DuckDB failed for another reason."""
    message = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        if "max_temp_directory_size" in message:
            return InputError("DuckDB's temporary files", "room to write", "no space left on device", "free some")
        return InputError("DuckDB", "enough memory", "too little", "free some")
    named = re.search(r'file \\?"([^"\\]+)', message)
    for words, (expected, cure) in LACKS.items():
        if isinstance(error, duckdb.IOException) and words in message.lower():
            return InputError(named[1] if named else "DuckDB", expected, words, cure)
    return None


def statements(sql: str) -> list[str]:
    """The kinds of the statements in a text, such as SELECT or COPY; duckdb.Error if it cannot be parsed.

    What is put into a query in parentheses must be one SELECT by itself: `1); COPY (SELECT 1` would be two statements.
    """
    return [str(statement.type).rpartition(".")[2] for statement in duckdb.extract_statements(sql)]


def view_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Create a view for every Parquet table of `folder`; returns the names."""
    paths = tables_in(folder.resolve())
    for name, path in paths.items():
        connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM {parquet(path)}")
    return list(paths)


def parquet(path: Path) -> str:
    """The SQL source of a Parquet file, without the columns that DuckDB derives from folders such as `year=2013`."""
    return f"read_parquet({literal(real(path))}, hive_partitioning = false)"


def real(path: Path) -> str:
    """The path with its folder resolved, as DuckDB compares it with the allowed folders; a link keeps its own name."""
    return str(path.parent.resolve() / path.name)


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Column names and SQL types of a table, a view or a parenthesised query."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {row[0]: row[1] for row in rows}


def copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write the result of a query in total order to Parquet; returns the number of rows."""
    done = connection.execute(f"COPY ({query}) TO {literal(real(path))} (FORMAT parquet, COMPRESSION zstd)")
    return int(done.fetchall()[0][0])


def cast(value: str, kind: str, form: str = "") -> str:
    """The SQL of a text as a promised type, null where it cannot be or has not its format; times become UTC."""
    if form:
        number = formed(value, kind, form)
        return f"CASE WHEN {number} % 1 = 0 THEN TRY_CAST({number} AS BIGINT) END" if kind == "integer" else number
    if kind == "timestamp":  # DuckDB knows infinity and years that Python does not
        moment = f"TRY({value}::TIMESTAMPTZ::TIMESTAMP)"
        return f"CASE WHEN {moment} BETWEEN {FIRST_MOMENT} AND {LAST_MOMENT} THEN {moment} END"
    if kind == "integer":  # DuckDB rounds '1.5' to 2
        return f"CASE WHEN TRY_CAST({value} AS DOUBLE) % 1 = 0 THEN TRY_CAST({value} AS BIGINT) END"
    return f"TRY_CAST({value} AS {SQL_TYPE[kind]})"
