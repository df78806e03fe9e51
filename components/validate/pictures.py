"""What came in each column, from an even sample of the rows: a histogram, or the most frequent values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from tidegate.components.validate.ingested import Source
from tidegate.contract.contract import quoted
from tidegate.documents.findings import ColumnFindings

SAMPLE_ROWS = 20_000
RUN_ROWS = 100  # neighbours are read at once
BINS = 24
MOST_VALUES = 6
MOST_COLUMNS = 200


def distributions(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: int, nulls: Mapping[str, int]
) -> dict[str, ColumnFindings]:
    """The nulls of each column and its distribution in every n-th run of rows; not of values that say who a row is."""
    without = {name: ColumnFindings(nulls[name]) for name in source.promised}
    columns, hidden = source.table.columns, source.table.identifying()
    drawn = [name for name in source.promised if name not in hidden][:MOST_COLUMNS]
    drawn = [name for name in drawn if columns[name].type != "timestamp"]
    if not drawn or not rows:
        return without
    step = -(-rows // SAMPLE_ROWS)
    values = ", ".join(map(quoted, drawn))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sampled AS SELECT {values} FROM {source.sql} "
        f"WHERE {source.row} // {RUN_ROWS} % {step} = 0"
    )
    numbers = [name for name in drawn if columns[name].type in ("integer", "number")]
    categories = [name for name in drawn if name not in numbers]
    return (
        without
        | _histograms(connection, {name: without[name] for name in numbers})
        | _frequent(connection, {name: without[name] for name in categories})
    )


def _histograms(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, ColumnFindings]
) -> dict[str, ColumnFindings]:
    values = {name: f"{quoted(name)}::DOUBLE" for name in columns}
    ends = [f"{end}({value}) FILTER (isfinite({value}))" for value in values.values() for end in ("min", "max")]
    edges = iter(_row(connection, ends))
    histograms = {}
    for (name, value), low, high in zip(values.items(), edges, edges, strict=True):
        if low is not None:
            bins = _bins(connection, value, low, high)
            histograms[name] = replace(columns[name], least=low, greatest=high, bins=bins)
    return histograms


def _bins(connection: duckdb.DuckDBPyConnection, value: str, low: float, high: float) -> tuple[int, ...]:
    half = (high / 2 - low / 2) or 1.0  # their difference may be beyond the largest number
    place = f"least({BINS - 1}, floor(({value} / 2 - {low / 2!r}) / {half!r} * {BINS}))::INTEGER"
    query = f"SELECT {place}, count(*) FROM sampled WHERE isfinite({value}) GROUP BY 1"
    counts = dict(connection.execute(query).fetchall())
    return tuple(counts.get(index, 0) for index in range(BINS))


def _frequent(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, ColumnFindings]
) -> dict[str, ColumnFindings]:
    """The most frequent values of categories; a text in which nearly each value is another is none."""
    counts = [f"{count}{quoted(name)})" for name in columns for count in ("count(", "count(DISTINCT ")]
    numbers = iter(_row(connection, counts))
    frequent = {}
    for (name, column), total, different in zip(columns.items(), numbers, numbers, strict=True):
        is_category = different <= max(2, total // 10)
        most = _most(connection, name, total) if is_category else None
        frequent[name] = replace(column, different=different, most=most)
    return frequent


def _most(connection: duckdb.DuckDBPyConnection, name: str, total: int) -> tuple[tuple[str, float], ...]:
    value = quoted(name)
    rows = connection.execute(
        f"SELECT {value}::VARCHAR, count(*) / {total} FROM sampled WHERE {value} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_VALUES}"
    ).fetchall()
    return tuple((text[:40], round(share, 4)) for text, share in rows)


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
