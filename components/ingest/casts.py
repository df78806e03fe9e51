"""The SQL that casts texts to the types of the contract; values that cannot be cast stay visible."""

from collections.abc import Mapping, Sequence

from tidegate.contract.contract import Column, Table, literal, quoted
from tidegate.tables.engine import cast


def failures(columns: Mapping[str, Column]) -> str:
    """A SELECT list with the number of texts per column that cannot be cast."""
    return ", ".join(f"count(*) FILTER ({_fails(name, column)}) AS {quoted(name)}" for name, column in columns.items())


def first_failure(name: str, column: Column) -> str:
    """A SELECT list of the row number and the text of the first value that cannot be cast."""
    clause = f"FILTER ({_fails(name, column)})"
    return f"min(rowid) {clause}, arg_min({quoted(name)}, rowid) {clause}"


def _fails(name: str, column: Column) -> str:
    return f"{quoted(name)} IS NOT NULL AND ({_cast(name, column)}) IS NULL"


def _cast(name: str, column: Column) -> str:
    return cast(quoted(name), column.type, column.format)


def known_by(table: Table, present: Sequence[str], until: str) -> str:
    """The condition of rows before `until`, or with a time that cannot be cast, which validate reports."""
    promised = [name for name in present if name in table.columns]
    if table.time not in present:
        return _holds_something(promised)
    time = cast(quoted(str(table.time)), "timestamp", table.columns[str(table.time)].format)
    return f"({time} < TIMESTAMP {literal(until)} OR ({time} IS NULL AND {_holds_something(promised)}))"


def _holds_something(present: Sequence[str]) -> str:
    """The condition of rows with any value: files from spreadsheets often end with rows of separators only."""
    return f"coalesce({', '.join(map(quoted, present))}) IS NOT NULL" if len(present) > 1 else "true"


def typed_rows(relation: str, table: Table, present: Sequence[str], as_text: set[str], until: str) -> str:
    """The query of one ingested table: cast columns, rows before `until`, total order.

    Of unknown columns only the names are kept, because their values may be private.
    """
    unknown = [name for name in present if name not in table.columns] if table.other_columns == "stop" else []
    names = [name for name in present if name in table.visible()]
    values = [
        quoted(name) if name in as_text else f"{_cast(name, table.columns[name])} AS {quoted(name)}" for name in names
    ] + [f"NULL::VARCHAR AS {quoted(name)}" for name in unknown]
    first = [name for name in (table.time, *table.key) if name in names]
    order = ", ".join(quoted(name) for name in dict.fromkeys([*first, *names])) or "ALL"
    query = f"SELECT {', '.join(values)} FROM {relation} WHERE {known_by(table, present, until)}"
    return f"SELECT * FROM ({query}) ORDER BY {order}"
