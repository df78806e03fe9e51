"""Checks of labels: values that the contract does not name, and a batch in which every label is the same."""

from collections.abc import Iterator

import duckdb

from tidegate.components.validate.ingested import Source
from tidegate.contract.contract import literal, literals, quoted
from tidegate.documents.manifest import Edges
from tidegate.process.errors import display

MOST_VALUES = 3
CHANCE = 0.01  # report it where the probability of such a batch, from the share in earlier rows, is lower


def _labels(source: Source) -> list[str]:
    columns = source.table.columns
    hidden = source.table.identifying()
    return [name for name in source.promised if columns[name].role == "label" and name not in hidden]


def other_values(connection: duckdb.DuckDBPyConnection, source: Source) -> Iterator[str]:
    """A line for each label with values that the contract does not name; features.sql would read them as false."""
    for name in _labels(source):
        if not (values := source.table.columns[name].values):
            continue
        allowed = [str(item).lower() if isinstance(item, bool) else str(item) for item in values]
        unnamed = connection.execute(
            f"SELECT {source.raw_value(name)}::VARCHAR AS value, count(*) FROM {source.sql} "
            f"WHERE value IS NOT NULL AND NOT list_contains({literals(allowed)}, value) GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        if unnamed:
            rows = sum(count for _, count in unnamed)
            examples = ", ".join(display(value) for value, _ in unnamed[:MOST_VALUES])
            rest = " and others" * (len(unnamed) > MOST_VALUES) + f" in {rows:,} row{'s' * (rows > 1)}"
            yield f"label {name}: expected one of {', '.join(allowed)}, found {examples}{rest}"


def one_answer(connection: duckdb.DuckDBPyConnection, source: Source, batch: Edges) -> Iterator[str]:
    """A line for each label that has one value in the whole batch, where earlier rows make that improbable."""
    time = source.table.time
    if time is None or time not in source.present:
        return
    start, end = (f"TIMESTAMP {literal(edge)}" for edge in (batch.start, batch.end))
    for name in _labels(source):
        value = f"{quoted(name)}::VARCHAR"
        now, before = f"{quoted(time)} >= {start} AND {quoted(time)} < {end}", f"{quoted(time)} < {start}"
        rows, lowest, highest = connection.execute(
            f"SELECT count({value}), min({value}), max({value}) FROM {source.sql} WHERE {now}"
        ).fetchall()[0]
        if not rows or lowest != highest:
            continue
        equal, earlier = connection.execute(
            f"SELECT count_if({value} = {literal(lowest)}), count({value}) FROM {source.sql} WHERE {before}"
        ).fetchall()[0]
        if earlier and (equal / earlier) ** rows < CHANCE:
            expected = f"several answers as before ({1 - equal / earlier:.1%} were others)"
            yield f"label {name}: expected {expected}, found {display(lowest)} in all {rows:,} rows of the batch"
