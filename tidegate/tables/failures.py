"""Describes errors of DuckDB without the values of rows, which may identify a person."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import duckdb

from tidegate.contract.contract import Table, quoted
from tidegate.process.errors import display

# Their messages are about the SQL or about files, and hold no value: most are raised before any row is read.
WITHOUT_VALUES = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.IOException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
    duckdb.PermissionException,
    duckdb.SyntaxException,
)
# How DuckDB names types in messages: a text of a message that is none of these may be a value.
INTEGER_TYPES = {
    "INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INTEGER", "INT64": "BIGINT", "INT128": "HUGEINT",
    "UINT8": "UTINYINT", "UINT16": "USMALLINT", "UINT32": "UINTEGER", "UINT64": "UBIGINT", "UINT128": "UHUGEINT",
}  # fmt: skip
TYPES = {**INTEGER_TYPES, "BOOL": "BOOLEAN"} | {
    name: name for name in ("BLOB", "BIT", "DATE", "DOUBLE", "FLOAT", "INTERVAL", "TIME", "TIMESTAMP", "UUID")
}
TYPE = re.compile(rf"\b(?:to|to type|destination type) ({'|'.join(TYPES)}|DECIMAL\(\d+,\s*\d+\))(?= when casting|$)")
FIELD = re.compile(r"^Conversion Error: invalid (date|time|timestamp) field format")
COLUMN = re.compile(r"when casting from source column (.+)$")
BEFORE_SQL = re.compile(r"(?s)(.*)\n\nLINE \d+: ")  # after it the message quotes the line of the SQL
OVERFLOW = re.compile(
    rf"^Out of Range Error: Overflow in (addition|subtraction|multiplication|division) of ({'|'.join(TYPES)})\b"
)

# How messages begin that say more than their kind.
STARTS = (
    "CSV Error on Line",
    "Could not parse string",
    "Malformed JSON",
    "More than one row returned by a subquery",
    "No magic bytes found at end of file",
)
CSV_LINES = (f"Invalid Input Error: {STARTS[0]}: ", "Expected Number of Columns: ", "Value with unterminated quote")


class Conversion(NamedTuple):
    """What could not be converted: the column, if the message names it, and the SQL type."""

    column: str | None
    type: str


def failure(
    error: duckdb.Error,
    connection: duckdb.DuckDBPyConnection | None = None,
    tables: Mapping[str, Table] | None = None,
    relations: Mapping[str, str] | None = None,
) -> str:
    """What failed, on one line; a value of a row is shown only if its column identifies no row.

    With a `connection` and the `tables`, a failed conversion names table, column, row and type; `relations` are the
    tables as SQL where they are no views.
    """
    if isinstance(error, WITHOUT_VALUES):
        return " ".join(_message(error).split())
    if isinstance(error, duckdb.ConversionException) and (cast := conversion(_message(error))):
        sources = relations or {name: quoted(name) for name in tables or ()}
        place = _place(connection, tables, sources, cast) if connection and tables and cast.column else None
        return place or f"a value that is no {cast.type}"
    if isinstance(error, duckdb.OutOfRangeException) and (overflow := OVERFLOW.search(str(error))):
        return f"an overflow in {overflow[1]} of {overflow[2]}"
    text = str(error).removeprefix("Invalid Input Error: ")
    start = next((start for start in STARTS if text.startswith(start)), None)
    if start == STARTS[0]:  # the lines between hold the row
        return "; ".join(line for line in str(error).splitlines() if line.startswith(CSV_LINES))
    return start or f"{type(error).__name__} in a row"


def _message(error: duckdb.Error) -> str:
    match = BEFORE_SQL.match(str(error))
    return match[1] if match else str(error)


def conversion(message: str) -> Conversion | None:
    """The column and the type in the message of a ConversionException; None if it names no type."""
    column = COLUMN.search(message)
    if field := FIELD.search(message):
        return Conversion(column and column[1], field[1].upper())
    match = TYPE.search(message)
    return Conversion(column and column[1], TYPES.get(match[1], match[1])) if match else None


def _place(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table], relations: Mapping[str, str], cast: Conversion
) -> str | None:
    """The table, the column, the first row (from 1) that cannot be converted, and its value if it may be shown."""
    for name, relation in relations.items():
        for column in tables[name].visible():
            if column.lower() == str(cast.column).lower() and (row := _first(connection, relation, column, cast)):
                value = "" if column in tables[name].identifying() else f": {display(row[1])}"
                return f"{name}.{column} in row {row[0]:,} that is no {cast.type}{value}"
    return None


def _first(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, cast: Conversion
) -> tuple[int, str] | None:
    """The first row (from 1) whose value cannot be converted, and the value."""
    rows = f"SELECT row_number() OVER () AS number, {quoted(column)} AS value FROM {relation}"
    failing = f"value IS NOT NULL AND TRY_CAST(value AS {cast.type}) IS NULL"
    query = f"SELECT number, value::VARCHAR FROM ({rows}) WHERE {failing} ORDER BY number LIMIT 1"
    try:
        row = connection.execute(query).fetchone()
    except duckdb.Error:  # no such view, or no such conversion
        return None
    return (int(row[0]), str(row[1])) if row else None
