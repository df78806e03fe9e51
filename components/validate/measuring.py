"""What DuckDB measures of a table: each promise is one query, which Parquet's own statistics answer if all is well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from components.contract import Table, interval, literal, quoted
from components.validate.rules import Rule, any_broken, no_number

part_rows = 1_000_000  # below that a second thread gains nothing


@dataclass(frozen=True)
class Broken:
    """A promise that rows break, and how many do."""

    rule: Rule
    rows: int


def scan(
    connection: duckdb.DuckDBPyConnection, source: str, given: Mapping[str, str], checked: Sequence[Rule]
) -> tuple[int, dict[str, int], list[Broken]]:
    """Rows, the nulls of each column, and the rules that some row breaks; `given` has the SQL of each column."""
    parts = ["count(*)", *(f"count({sql})" for sql in given.values())]
    rows, *known = _row(connection, f"SELECT {', '.join(parts)} FROM {source}")
    nulls = {name: rows - count for name, count in zip(given, known, strict=True)}
    groups = [list(group) for _, group in groupby(checked, lambda rule: rule.scope)]
    return rows, nulls, [found for group in groups for found in _broken(connection, source, group)]


def _broken(connection: duckdb.DuckDBPyConnection, source: str, rules: Sequence[Rule]) -> list[Broken]:
    """Rules of one column in one query: as a filter they are decided by statistics and dictionaries where they can be."""
    parts = [f"count(*) FILTER ({rule.broken})" for rule in rules] if len(rules) > 1 else ["count(*)"]
    found = _row(connection, f"SELECT {', '.join(parts)} FROM {source} WHERE {any_broken(rules)}")
    return [Broken(rule, rows) for rule, rows in zip(rules, found, strict=True) if rows]


def bad_count(connection: duckdb.DuckDBPyConnection, source: str, broken: Sequence[Broken]) -> int:
    """How many rows break any of these promises."""
    if len(broken) < 2:
        return sum(found.rows for found in broken)
    return int(
        _row(connection, f"SELECT count(*) FROM {source} WHERE {any_broken([found.rule for found in broken])}")[0]
    )


def sharing_rows(
    connection: duckdb.DuckDBPyConnection, source: str, row: str, table: Table, names: Sequence[str], rows: int
) -> int:
    """How many rows share their values of these columns with another row; a row with a null shares nothing."""
    key = [quoted(name) for name in names]
    if [name for name in dict.fromkeys([table.time, *names]) if name] == list(names) and _apart(
        connection, source, row, key, rows
    ):
        return 0
    whole = " AND ".join(f"{name} IS NOT NULL" for name in key)
    groups = f"SELECT count(*) AS n FROM {source} WHERE {whole} GROUP BY {', '.join(key)} HAVING count(*) > 1"
    return int(_row(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups})")[0])


def _apart(connection: duckdb.DuckDBPyConnection, source: str, row: str, key: Sequence[str], rows: int) -> bool:
    """Whether the rows are in the order of their key and none equals the one before it: no memory, one pass.

    The parts run at the same time; each begins with the last row of the one before it.
    """
    befores = ", ".join(f"lag({name}) OVER () AS before_{index}" for index, name in enumerate(key))
    before, this = ", ".join(f"before_{index}" for index in range(len(key))), ", ".join(key)
    pairs = [
        f"SELECT 1 FROM (SELECT {this}, {befores}, lag(true) OVER () IS NULL AS first FROM {source}{within}) "
        f"WHERE NOT first AND row({before}) >= row({this})"
        for within in _parts(row, rows)
    ]
    return int(_row(connection, f"SELECT count(*) FROM ({' UNION ALL '.join(pairs)})")[0]) == 0


def _parts(row: str, rows: int) -> list[str]:
    """Where the rows of each part are, by the column that numbers them."""
    if rows < 2 * part_rows or row == no_number:
        return [""]
    return [f" WHERE {row} BETWEEN 0 AND {rows // 2}", f" WHERE {row} BETWEEN {rows // 2} AND {rows}"]


def seconds_since_latest(connection: duckdb.DuckDBPyConnection, source: str, time: str, until: str) -> int | None:
    """How old the latest row is at `until`, None when there is none."""
    query = f"SELECT epoch(TIMESTAMP {literal(until)} - max({quoted(time)}))::BIGINT FROM {source}"
    found = _row(connection, query)[0]
    return None if found is None else int(found)


def odd_periods(
    connection: duckdb.DuckDBPyConnection, source: str, time: str, period: str, edges: tuple[int, int]
) -> list[tuple[str, int]]:
    """The periods with fewer or more rows than promised; the first and the last may be cut, and have a most only."""
    step, column = interval(period), quoted(time)
    query = f"""
        WITH counted AS (
            SELECT time_bucket({step}, {column}) AS p, count(*) AS n FROM {source}
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
