"""What came in each column, from an even sample of the rows: a histogram, or the most frequent values."""

from collections.abc import Sequence
from typing import Any

import duckdb

from tidegate.components.validate.ingested import Source
from tidegate.contract.contract import quoted

sample_rows = 20_000
run_rows = 100  # neighbours are read at once
bins = 24
most_values = 6
most_pictures = 200


def pictures(connection: duckdb.DuckDBPyConnection, source: Source, rows: int) -> dict[str, dict[str, Any]]:
    """Per column its picture, from every n-th run of rows; none of values that say who a row is."""
    columns, hidden = source.table.columns, source.table.identifying()
    shown = [name for name in source.seen if name not in hidden][:most_pictures]
    shown = [name for name in shown if columns[name].type != "timestamp"]
    if not shown or not rows:
        return {}
    step = -(-rows // sample_rows)
    values = ", ".join(map(quoted, shown))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sampled AS SELECT {values} FROM {source.sql} "
        f"WHERE {source.row} // {run_rows} % {step} = 0"
    )
    numbers = [name for name in shown if columns[name].type in ("integer", "number")]
    return _histograms(connection, numbers) | _frequent(connection, [name for name in shown if name not in numbers])


def _histograms(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    values = {name: f"{quoted(name)}::DOUBLE" for name in names}
    ends = [f"{end}({value}) FILTER (isfinite({value}))" for value in values.values() for end in ("min", "max")]
    edges = iter(_row(connection, ends))
    found = {}
    for (name, value), low, high in zip(values.items(), edges, edges, strict=True):
        found[name] = {} if low is None else _histogram(connection, value, low, high)
    return found


def _histogram(connection: duckdb.DuckDBPyConnection, value: str, low: float, high: float) -> dict[str, Any]:
    half = (high / 2 - low / 2) or 1.0  # their difference may be beyond the largest number
    place = f"least({bins - 1}, floor(({value} / 2 - {low / 2!r}) / {half!r} * {bins}))::INTEGER"
    found = dict(
        connection.execute(f"SELECT {place}, count(*) FROM sampled WHERE isfinite({value}) GROUP BY 1").fetchall()
    )
    return {"least": low, "greatest": high, "bins": [found.get(index, 0) for index in range(bins)]}


def _frequent(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The most frequent values of categories; a text in which nearly each value is another is none."""
    counts = [f"{count}{quoted(name)})" for name in names for count in ("count(", "count(DISTINCT ")]
    numbers = iter(_row(connection, counts))
    found = {}
    for name, total, different in zip(names, numbers, numbers, strict=True):
        few = different <= max(2, total // 10)
        found[name] = {"different": different} | ({"most": _most(connection, name, total)} if few else {})
    return found


def _most(connection: duckdb.DuckDBPyConnection, name: str, total: int) -> list[list[Any]]:
    value = quoted(name)
    rows = connection.execute(
        f"SELECT {value}::VARCHAR, count(*) / {total} FROM sampled WHERE {value} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {most_values}"
    ).fetchall()
    return [[text[:40], round(share, 4)] for text, share in rows]


def _row(connection: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> tuple[Any, ...]:
    if not parts:
        return ()
    return tuple(connection.execute(f"SELECT {', '.join(parts)} FROM sampled").fetchall()[0])


def path(counts: Sequence[int], width: int = 200, height: int = 24) -> str:
    """A histogram as one SVG path."""
    most, step = max(counts) or 1, width / len(counts)
    bars = (
        f"M{index * step:.1f} {height}V{height - height * count / most:.1f}H{(index + 0.85) * step:.1f}V{height}Z"
        for index, count in enumerate(counts)
        if count
    )
    return "".join(bars)
