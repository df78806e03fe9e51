"""Guesses the primary key of the drafted rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from tidegate.contract.contract import quoted

MOST_KEY_COLUMNS = 4


def key_of_events(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Mapping[str, Any]], time: str
) -> list[str]:
    """The primary key of the events, if necessary of all columns; empty if there are duplicate rows."""
    return key_of_rows(connection, columns, time) or key_of_rows(connection, columns, time, ("none",), len(columns))


def key_of_rows(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Mapping[str, Any]],
    time: str | None,
    without: Sequence[str] = ("number",),
    most: int = MOST_KEY_COLUMNS,
) -> list[str]:
    """A unique column; else the time and the columns with the most distinct values; empty if `most` are too few."""
    usable = [
        name
        for name, column in columns.items()
        if column["type"] not in without and "nullable" not in column and column.get("role") != "private"
    ]
    usable.sort(key=lambda name: (name != time, list(columns).index(name)))
    rows = connection.execute("SELECT count(*) FROM drafted").fetchall()[0][0]
    alone = _different(connection, [[name] for name in usable])
    key = [name for name, count in zip(usable, alone, strict=True) if count == rows][:1]
    if key or not usable:
        return key
    key = [time] if time else []
    while len(key) < most and (rest := [name for name in usable if name not in key]):
        counts = _different(connection, [[*key, name] for name in rest])
        key.append(rest[counts.index(max(counts))])
        if max(counts) == rows:
            return key
    return []


def _different(connection: duckdb.DuckDBPyConnection, sets: Sequence[Sequence[str]]) -> list[int]:
    """The number of distinct rows for each set of columns."""
    if not sets:
        return []
    counts = ", ".join(f"count(DISTINCT hash({', '.join(map(quoted, names))}))" for names in sets)
    return list(connection.execute(f"SELECT {counts} FROM drafted").fetchall()[0])
