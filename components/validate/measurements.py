"""What DuckDB measures of a table: each promise is a filter, which Parquet's own statistics answer if all is well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from tidegate.components.validate.ingested import NO_NUMBER, Source
from tidegate.components.validate.rules import Rule, any_broken
from tidegate.contract.contract import literal, quoted
from tidegate.documents.durations import interval

PART_ROWS = 1_000_000  # below that a second thread gains nothing


@dataclass(frozen=True)
class Broken:
    """A promise that rows break, how many do, and the first one: its position (from 0) and the value there."""

    rule: Rule
    rows: int
    row: int | None
    value: str | None


def count(connection: duckdb.DuckDBPyConnection, source: Source) -> tuple[int, dict[str, int]]:
    """The rows of a table and the nulls of each column."""
    parts = ["count(*)", *(f"count({source.raw_value(name)})" for name in source.promised)]
    rows, *filled = _row(connection, f"SELECT {', '.join(parts)} FROM {source.sql}")
    return rows, {name: rows - values for name, values in zip(source.promised, filled, strict=True)}


def broken_by(connection: duckdb.DuckDBPyConnection, source: Source, rules: Sequence[Rule]) -> list[Broken]:
    """The promises that some row breaks, in their order."""
    groups = [list(group) for _, group in groupby(rules, lambda rule: rule.scope)]
    return [broken for group in groups for broken in _broken(connection, source, group)]


def _broken(connection: duckdb.DuckDBPyConnection, source: Source, rules: Sequence[Rule]) -> Iterator[Broken]:
    parts = []
    for rule in rules:
        clause = f"FILTER ({rule.broken})" if len(rules) > 1 else ""
        parts += [f"count(*) {clause}", f"min({source.row}) {clause}", f"arg_min({rule.value}, {source.row}) {clause}"]
    values = _row(connection, f"SELECT {', '.join(parts)} FROM {source.sql} WHERE {any_broken(rules)}")
    for index, rule in enumerate(rules):
        rows, first, value = values[3 * index : 3 * index + 3]
        if rows:
            yield Broken(rule, rows, first, value)


def bad_count(connection: duckdb.DuckDBPyConnection, source: Source, broken: Sequence[Broken]) -> int:
    """How many rows break any of these promises."""
    if len(broken) < 2:
        return sum(promise.rows for promise in broken)
    condition = any_broken([promise.rule for promise in broken])
    return int(_row(connection, f"SELECT count(*) FROM {source.sql} WHERE {condition}")[0])


def sharing_rows(connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str], rows: int) -> int:
    """How many rows share their values of these columns with another row; a row with a null shares nothing."""
    key = list(map(quoted, names))
    order = [name for name in dict.fromkeys([source.table.time, *names]) if name]
    if order == list(names) and _apart(connection, source, key, rows):
        return 0
    whole = " AND ".join(f"{name} IS NOT NULL" for name in key)
    groups = f"SELECT count(*) FROM {source.sql} WHERE {whole} GROUP BY {', '.join(key)} HAVING count(*) > 1"
    return int(_row(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups}) AS groups(n)")[0])


def _apart(connection: duckdb.DuckDBPyConnection, source: Source, key: Sequence[str], rows: int) -> bool:
    """Whether the rows are in the order of their key and none equals the one before it: no memory, one pass.

    The parts run at the same time; each begins with the last row of the one before it.
    """
    current, before = ([f"{name}_{index}" for index in range(len(key))] for name in ("this", "before"))
    lags = ", ".join([*key, *(f"lag({name}) OVER ()" for name in key), "lag(true) OVER () IS NULL"])
    pairs = [
        f"SELECT 1 FROM (SELECT {lags} FROM {source.sql}{part}) AS pairs({', '.join([*current, *before, 'first'])}) "
        f"WHERE NOT first AND row({', '.join(before)}) >= row({', '.join(current)})"
        for part in _parts(source.row, rows)
    ]
    return int(_row(connection, f"SELECT count(*) FROM ({' UNION ALL '.join(pairs)})")[0]) == 0


def _parts(row: str, rows: int) -> list[str]:
    if rows < 2 * PART_ROWS or row == NO_NUMBER:
        return [""]
    half = rows // 2
    return [f" WHERE {row} <= {half}", f" WHERE {row} >= {half}"]


def duplicates(connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str]) -> int:
    """How many of the rows that share their values of these columns equal another row in every promised column."""
    key, values = ", ".join(map(quoted, names)), ", ".join(map(source.raw_value, source.promised))
    shared = f"SELECT {key} FROM {source.sql} GROUP BY {key} HAVING count(*) > 1"
    rows = f"SELECT * FROM {source.sql} SEMI JOIN ({shared}) AS shared USING ({key})"
    groups = f"SELECT count(*) FROM ({rows}) GROUP BY {values} HAVING count(*) > 1"
    return int(_row(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups}) AS groups(n)")[0])


def seconds_since_latest(connection: duckdb.DuckDBPyConnection, source: Source, until: str) -> int | None:
    """How old the latest row is at `until`, None when there is none."""
    time = quoted(str(source.table.time))
    query = f"SELECT epoch(TIMESTAMP {literal(until)} - max({time}))::BIGINT FROM {source.sql}"
    age = _row(connection, query)[0]
    return None if age is None else int(age)


def odd_periods(
    connection: duckdb.DuckDBPyConnection, source: Source, period: str, edges: tuple[int, int], most: int
) -> tuple[int, list[tuple[str, int]]]:
    """How many periods have fewer or more rows than promised, and the first ones up to `most`, with their rows.

    The first and the last period may be cut, and have a most only. One time long ago makes many empty periods: those
    of a gap are counted, not listed.
    """
    step, column = interval(period), quoted(str(source.table.time))
    odd = f"""
        WITH counted(p, n) AS (
            SELECT time_bucket({step}, {column}), count(*) FROM {source.sql} WHERE {column} IS NOT NULL GROUP BY 1
        ),
        placed AS (SELECT p, n, lag(p) OVER (ORDER BY p) AS before, lead(p) OVER (ORDER BY p) AS after FROM counted),
        odd AS (
            SELECT p, n, 1 AS periods FROM placed
            WHERE n > {edges[1]} OR (before IS NOT NULL AND after IS NOT NULL AND n < {edges[0]})
            UNION ALL
            SELECT p + {step}, 0, (epoch(after - p) // epoch({step}) - 1)::BIGINT FROM placed
            WHERE {edges[0]} > 0 AND after > p + {step}
        )
    """
    moments = f"unnest(generate_series(p, p + (least(periods, {most}) - 1) * {step}, {step}))"
    listed = f"SELECT strftime({moments}, '%Y-%m-%dT%H:%M'), n FROM odd ORDER BY 1 LIMIT {most}"
    rows_listed = connection.execute(odd + listed).fetchall()
    periods = int(_row(connection, f"{odd} SELECT sum(periods) FROM odd")[0]) if rows_listed else 0
    return periods, [(moment.removesuffix("T00:00"), rows) for moment, rows in rows_listed]


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)
