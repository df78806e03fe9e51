"""Finds new rows, as DuckDB tables: `fresh`, the new rows, and `changed`, the keys whose earlier rows are removed.

Rows are compared as values of the contract's types, not as texts. A row with a known key and other values replaces the
earlier one, so that each key occurs once. Without a primary key, equal rows are the same row.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from tidegate.contract.contract import Table, literals, quoted
from tidegate.tables.engine import cast, columns_of
from tidegate.tables.raw import texts

FILE, RANK = quoted("#file"), quoted("#rank")
WITH_FILE = ", filename = '#file'"


def compare(
    connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path], came: str, order: str, cut: str
) -> None:
    """Compare the rows of the query `came` that fulfil the condition `cut` with `files`.

    Of rows with the same key only the last by the SQL expression `order` count.
    """
    values = ", ".join(f"{plain(name, table)} AS {quoted(name)}" for name in table.columns)
    connection.execute(f"CREATE OR REPLACE TABLE came AS SELECT {values}, {order} AS {RANK} FROM ({came}) WHERE {cut}")
    connection.execute(f"CREATE OR REPLACE VIEW known AS {_rows_of(connection, table, files)}")
    (_by_key if table.key else _by_row)(connection, table)


def plain(name: str, table: Table) -> str:
    """The SQL of the text by which a value is compared: that of its type, else its own; null for a missing value."""
    column = table.columns[name]
    text = f"coalesce(({cast(quoted(name), column.type)})::VARCHAR, {quoted(name)}::VARCHAR)"
    missing = f"list_contains({literals(table.missing)}, {text})"
    return text if table.files.endswith(".parquet") else f"CASE WHEN NOT {missing} THEN {text} END"


def same_key(table: Table, left: str, right: str) -> str:
    """The SQL condition under which rows of two relations have the same key."""
    pairs = (f"{left}.{quoted(name)} IS NOT DISTINCT FROM {right}.{quoted(name)}" for name in table.key)
    return " AND ".join(pairs)


def _rows_of(connection: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path]) -> str:
    if not paths:
        nothing = ", ".join(f"NULL::VARCHAR AS {quoted(name)}" for name in table.columns)
        return f"SELECT {nothing}, NULL::VARCHAR AS {FILE} WHERE false"
    query = texts(connection, paths, table.missing, WITH_FILE)
    present = columns_of(connection, f"({query})")
    values = (
        f"{plain(name, table) if name in present else 'NULL::VARCHAR'} AS {quoted(name)}" for name in table.columns
    )
    return f"SELECT {', '.join(values)}, {FILE} FROM ({query})"


def _by_key(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    names, key = (", ".join(map(quoted, some)) for some in (table.columns, table.key))
    make = "CREATE OR REPLACE TABLE"
    last = f"rank() OVER (PARTITION BY {key} ORDER BY {RANK} DESC NULLS LAST) = 1"
    connection.execute(f"{make} came AS SELECT DISTINCT {names} FROM (SELECT * FROM came QUALIFY {last})")
    connection.execute(f"{make} met AS SELECT * FROM known SEMI JOIN came ON {same_key(table, 'known', 'came')}")
    differ = f"SELECT {names} FROM came EXCEPT SELECT {names} FROM met"
    connection.execute(f"{make} changed AS SELECT DISTINCT {key} FROM ({differ})")
    for name, of in (("fresh", "came"), ("outdated", "met")):
        match = same_key(table, of, "changed")
        connection.execute(f"{make} {name} AS SELECT * FROM {of} SEMI JOIN changed ON {match}")


def _by_row(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    names = ", ".join(map(quoted, table.columns))
    make = "CREATE OR REPLACE TABLE"
    connection.execute(f"{make} fresh AS SELECT {names} FROM came EXCEPT ALL SELECT {names} FROM known")
    connection.execute(f"{make} outdated AS SELECT * FROM known WHERE false")
