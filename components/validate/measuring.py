"""What DuckDB measures of a table: one scan that proves the promises, a second only over those it could not prove."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from components.contract import Table, interval, literal, quoted
from components.validate.rules import Rule, any_broken


def scan(
    connection: duckdb.DuckDBPyConnection, source: str, given: Mapping[str, str], checked: Sequence[Rule]
) -> tuple[int, dict[str, int], list[Rule]]:
    """Rows, the nulls of each column, and the rules that some row breaks; `given` has the SQL of each column."""
    parts = ["count(*)", *(f"count({sql})" for sql in given.values()), *(rule.proof for rule in checked)]
    rows, *found = _row(connection, f"SELECT {', '.join(parts)} FROM {source}")
    nulls = {name: rows - count for name, count in zip(given, found, strict=False)}
    return rows, nulls, [rule for rule, proof in zip(checked, found[len(given) :], strict=True) if not proof]


def counts(
    connection: duckdb.DuckDBPyConnection, source: str, broken: Sequence[Rule]
) -> tuple[int, list[tuple[str, int]]]:
    """How many rows break any of these promises, and per promise, the most frequent first."""
    if not broken:
        return 0, []
    parts = [any_broken(broken), *(rule.broken for rule in broken)]
    bad, *each = _row(
        connection, f"SELECT {', '.join(f'coalesce(count_if({part}), 0)' for part in parts)} FROM {source}"
    )
    labels = [rule.label for rule in broken]
    return bad, sorted(zip(labels, each, strict=True), key=lambda item: (-item[1], item[0]))


def sharing_rows(connection: duckdb.DuckDBPyConnection, source: str, table: Table, names: Sequence[str]) -> int:
    """How many rows share their values of these columns with another row; a row with a null shares nothing."""
    key = [quoted(name) for name in names]
    if [name for name in dict.fromkeys([table.time, *names]) if name] == list(names) and _apart(
        connection, source, key
    ):
        return 0
    whole = " AND ".join(f"{name} IS NOT NULL" for name in key)
    groups = f"SELECT count(*) AS n FROM {source} WHERE {whole} GROUP BY {', '.join(key)} HAVING count(*) > 1"
    return int(_row(connection, f"SELECT coalesce(sum(n), 0) FROM ({groups})")[0])


def _apart(connection: duckdb.DuckDBPyConnection, source: str, key: Sequence[str]) -> bool:
    """Whether the rows are in the order of their key and none equals the one before it: no memory, one pass."""
    befores = ", ".join(f"lag({name}) OVER () AS before_{index}" for index, name in enumerate(key))
    before, this = ", ".join(f"before_{index}" for index in range(len(key))), ", ".join(key)
    first = "lag(true) OVER () IS NULL AS first"
    seen = f"SELECT {this}, {befores}, {first} FROM {source}"
    query = f"SELECT coalesce(count_if(NOT first AND row({before}) >= row({this})), 0) FROM ({seen})"
    return int(_row(connection, query)[0]) == 0


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
