"""What DuckDB measures of a table: each promise is a filter, which Parquet's own statistics answer if all is well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from components.contract import interval, literal, quoted
from components.validate.rules import Rule, any_broken
from components.validate.source import Source, no_number

part_rows = 1_000_000  # below that a second thread gains nothing


@dataclass(frozen=True)
class Broken:
    """A promise that rows break, how many do, and the first one: its position (from 0) and the value there."""

    rule: Rule
    rows: int
    row: int | None
    value: str | None


def count(connection: duckdb.DuckDBPyConnection, source: Source) -> tuple[int, dict[str, int]]:
    """The rows of a table and the nulls of each column."""
    parts = ["count(*)", *(f"count({source.given(name)})" for name in source.seen)]
    rows, *known = _row(connection, f"SELECT {', '.join(parts)} FROM {source.sql}")
    return rows, {name: rows - values for name, values in zip(source.seen, known, strict=True)}


def broken_by(connection: duckdb.DuckDBPyConnection, source: Source, rules: Sequence[Rule]) -> list[Broken]:
    """The promises that some row breaks, in their order."""
    groups = [list(group) for _, group in groupby(rules, lambda rule: rule.scope)]
    return [found for group in groups for found in _broken(connection, source, group)]


def _broken(connection: duckdb.DuckDBPyConnection, source: Source, rules: Sequence[Rule]) -> Iterator[Broken]:
    parts = []
    for rule in rules:
        where = f"FILTER ({rule.broken})" if len(rules) > 1 else ""
        parts += [f"count(*) {where}", f"min({source.row}) {where}", f"arg_min({rule.value}, {source.row}) {where}"]
    found = _row(connection, f"SELECT {', '.join(parts)} FROM {source.sql} WHERE {any_broken(rules)}")
    for index, rule in enumerate(rules):
        rows, first, value = found[3 * index : 3 * index + 3]
        if rows:
            yield Broken(rule, rows, first, value)


def bad_count(connection: duckdb.DuckDBPyConnection, source: Source, broken: Sequence[Broken]) -> int:
    """How many rows break any of these promises."""
    if len(broken) < 2:
        return sum(found.rows for found in broken)
    where = any_broken([found.rule for found in broken])
    return int(_row(connection, f"SELECT count(*) FROM {source.sql} WHERE {where}")[0])


def sharing_rows(connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str], rows: int) -> int:
    """How many rows share their values of these columns with another row; a row with a null shares nothing."""
    key = list(map(quoted, names))
    order = [name for name in dict.fromkeys([source.table.time, *names]) if name]
    if order == list(names) and _apart(connection, source, key, rows):
        return 0
    whole = " AND ".join(f"{name} IS NOT NULL" for name in key)
    groups = f"SELECT count(*) AS n FROM {source.sql} WHERE {whole} GROUP BY {', '.join(key)} HAVING count(*) > 1"
    return int(_row(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups})")[0])


def _apart(connection: duckdb.DuckDBPyConnection, source: Source, key: Sequence[str], rows: int) -> bool:
    """Whether the rows are in the order of their key and none equals the one before it: no memory, one pass.

    The parts run at the same time; each begins with the last row of the one before it.
    """
    befores = ", ".join(f"lag({name}) OVER () AS before_{index}" for index, name in enumerate(key))
    before, this = ", ".join(f"before_{index}" for index in range(len(key))), ", ".join(key)
    pairs = [
        f"SELECT 1 FROM (SELECT {this}, {befores}, lag(true) OVER () IS NULL AS first FROM {source.sql}{part}) "
        f"WHERE NOT first AND row({before}) >= row({this})"
        for part in _parts(source.row, rows)
    ]
    return int(_row(connection, f"SELECT count(*) FROM ({' UNION ALL '.join(pairs)})")[0]) == 0


def _parts(row: str, rows: int) -> list[str]:
    if rows < 2 * part_rows or row == no_number:
        return [""]
    half = rows // 2
    return [f" WHERE {row} <= {half}", f" WHERE {row} >= {half}"]


def duplicates(connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str]) -> int:
    """How many of the rows that share their values of these columns equal another row in every promised column."""
    key, values = ", ".join(map(quoted, names)), ", ".join(map(source.given, source.seen))
    shared = f"SELECT {key} FROM {source.sql} GROUP BY {key} HAVING count(*) > 1"
    rows = f"SELECT * FROM {source.sql} SEMI JOIN ({shared}) AS shared USING ({key})"
    groups = f"SELECT count(*) AS n FROM ({rows}) GROUP BY {values} HAVING count(*) > 1"
    return int(_row(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups})")[0])


def seconds_since_latest(connection: duckdb.DuckDBPyConnection, source: Source, until: str) -> int | None:
    """How old the latest row is at `until`, None when there is none."""
    time = quoted(str(source.table.time))
    query = f"SELECT epoch(TIMESTAMP {literal(until)} - max({time}))::BIGINT FROM {source.sql}"
    found = _row(connection, query)[0]
    return None if found is None else int(found)


def odd_periods(
    connection: duckdb.DuckDBPyConnection, source: Source, period: str, edges: tuple[int, int]
) -> list[tuple[str, int]]:
    """The periods with fewer or more rows than promised; the first and the last may be cut, and have a most only."""
    step, column = interval(period), quoted(str(source.table.time))
    query = f"""
        WITH counted AS (
            SELECT time_bucket({step}, {column}) AS p, count(*) AS n FROM {source.sql}
            WHERE {column} IS NOT NULL GROUP BY 1
        ),
        ends AS (SELECT min(p) AS first, max(p) AS last FROM counted),
        periods AS (SELECT unnest(generate_series(first, last, {step})) AS p, first, last FROM ends),
        filled AS (
            SELECT p, coalesce(n, 0) AS n, p > first AND p < last AS whole FROM periods LEFT JOIN counted USING (p)
        )
        SELECT strftime(p, '%Y-%m-%dT%H:%M'), n FROM filled
        WHERE n > {edges[1]} OR (whole AND n < {edges[0]}) ORDER BY p
    """
    return [(moment.removesuffix("T00:00"), rows) for moment, rows in connection.execute(query).fetchall()]


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = connection.execute(query).fetchone()
    assert found is not None
    return tuple(found)
