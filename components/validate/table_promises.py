"""What a table breaks as a whole, each in one line: keys, nulls, time. Single bad rows are no matter of this."""

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from tidegate.components.validate.ingested import Source
from tidegate.components.validate.labels import other_values
from tidegate.components.validate.measurements import duplicates, odd_periods, seconds_since_latest, sharing_rows
from tidegate.documents.durations import seconds

MOST_PERIODS = 5


def whole(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: int,
    nulls: Mapping[str, int],
    event: bool,
    until: str | None,
) -> list[str]:
    """Every violation of a table as a whole; `event` when it is the one whose rows are predicted."""
    return [
        *_null_lines(source, rows, nulls),
        *other_values(connection, source),
        *_shared_lines(connection, source, rows, event),
        *_time_lines(connection, source, until),
    ]


def _null_lines(source: Source, rows: int, nulls: Mapping[str, int]) -> Iterator[str]:
    """Of columns that may lack values: some have none at all, some lack more than their share."""
    for name in source.promised:
        promise, missing = source.table.columns[name].nullable, nulls[name]
        if not promise or not missing or source.required(name):
            continue
        if missing == rows:
            yield f"column {name}: expected a value in some row, found only nulls"
        elif missing > promise * rows:
            found = f"{missing / rows:.2%} ({missing:,} of {rows:,})"
            yield f"column {name}: expected at most {float(promise):.2%} nulls, found {found}"


def _shared_lines(connection: duckdb.DuckDBPyConnection, source: Source, rows: int, event: bool) -> Iterator[str]:
    table = source.table
    if table.key and set(table.key) <= set(source.present):
        yield from _shared(connection, source, rows, table.key, "key: expected unique rows", "their key")
    elif event and not table.key and table.time in source.present:
        expected = "key: expected unique times, as the contract names no key"
        yield from _shared(connection, source, rows, [str(table.time)], expected, f"their {table.time}")
    for name in source.promised:
        if table.columns[name].unique and (shared := sharing_rows(connection, source, [name], rows)):
            yield f"{name}: expected unique values, found {shared:,} rows that share theirs"


def _shared(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: int, names: Sequence[str], expected: str, values: str
) -> Iterator[str]:
    if shared := sharing_rows(connection, source, names, rows):
        duplicate_rows = duplicates(connection, source, names)
        also = f", {duplicate_rows:,} of which are whole duplicates" if duplicate_rows else ""
        yield f"{expected}, found {shared:,} rows that share {values}{also}"


def _time_lines(connection: duckdb.DuckDBPyConnection, source: Source, until: str | None) -> Iterator[str]:
    table = source.table
    if table.time not in source.present:
        return
    if table.freshness and until:
        age = seconds_since_latest(connection, source, until)
        if age is not None and age > seconds(table.freshness):
            expected = f"the latest row at most {table.freshness} old at {until}"
            yield f"freshness: expected {expected}, found {_duration(age)}"
    for period, edges in table.rows_per.items():
        odd, listed = odd_periods(connection, source, period, edges, MOST_PERIODS)
        if odd:
            periods = ", ".join(f"{rows:,} in {moment}" for moment, rows in listed)
            more = f" and {odd - len(listed):,} more periods" if odd > len(listed) else ""
            yield f"rows per {period}: expected {edges[0]:,} to {edges[1]:,}, found {periods}{more}"


def _duration(age: int) -> str:
    hours, days = age // 3600, age // 86400
    return f"{days}d {hours % 24}h" if days else f"{hours}h {age // 60 % 60}m"
