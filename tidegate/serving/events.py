"""The features of events that are asked: the champion's own SQL over the clean tables with these events."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tidegate.contract.contract import Contract, literal, quoted
from tidegate.serving.clean_tables import ASKED, Tables
from tidegate.serving.refusal import unlike
from tidegate.tables.failures import failure
from tidegate.tables.features import subquery

ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


def features_of(
    events: Mapping[str, Sequence[Any]], tables: Tables, contract: Contract, sql: str, features: Mapping[str, str]
) -> dict[str, list[Any]]:
    """The values of each feature, in the order of the events; RefusalError where the SQL fails or gives no row."""
    order = _order(events, contract)
    try:
        connection = tables.asked(_arrow(events, contract))
        _check_promises(connection, contract)
        computed = connection.execute(_query(events, contract, sql, features)).fetchall()
    except duckdb.Error as error:
        raise unlike("instances", "events that features.sql can be run for", failure(error)) from None
    rows = {row[: len(contract.identity)]: row[len(contract.identity) :] for row in computed}
    if len(rows) != len(order) or len(computed) != len(order):
        raise unlike("instances", "events for which features.sql gives one row each", f"{len(computed):,} rows")
    return {name: [rows[key][place] for key in order] for place, name in enumerate(features)}


def _order(events: Mapping[str, Sequence[Any]], contract: Contract) -> dict[tuple[Any, ...], int]:
    """The identities of the events in their order; RefusalError for one that is there twice."""
    places: dict[tuple[Any, ...], int] = {}
    for row, key in enumerate(zip(*(events[name] for name in contract.identity), strict=True)):
        if key in places:
            names = ", ".join(contract.identity)
            raise unlike(f"instances[{row}]", f"another event ({names}) than instances[{places[key]}]", "the same")
        places[key] = row
    return places


def _arrow(events: Mapping[str, Sequence[Any]], contract: Contract) -> pa.Table:
    columns = contract.tables[contract.event].columns
    return pa.table({name: pa.array(values, ARROW[columns[name].type]) for name, values in events.items()})


def _query(events: Mapping[str, Sequence[Any]], contract: Contract, sql: str, features: Mapping[str, str]) -> str:
    """The query of identity and features of the asked events.

    Their times stand in it as constants, because DuckDB then reads no rows of other times where the SQL allows it.
    """
    identity = ", ".join(map(quoted, contract.identity))
    values = ", ".join(
        f"{quoted(name)}::{'DOUBLE' if kind == 'number' else 'VARCHAR'}" for name, kind in features.items()
    )
    times = sorted(set(events[contract.time]))
    moments = ", ".join(f"TIMESTAMP {literal(time.isoformat())}" for time in times)
    time = quoted(contract.time)
    near = f"{time} BETWEEN TIMESTAMP {literal(times[0].isoformat())} AND TIMESTAMP {literal(times[-1].isoformat())}"
    those = f"{near} AND {time} IN ({moments}) AND ({identity}) IN (SELECT ({identity}) FROM {ASKED})"
    return f"SELECT {identity}, {values} FROM {subquery(sql)} WHERE {those}"


def _check_promises(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """RefusalError for an event that `validate` would set aside: by a rule or a reference of the event table."""
    table = contract.tables[contract.event]
    broken = {f"that keep the rule {name!r}": f"NOT ({condition}\n)" for name, condition in table.rules.items()}
    for name, target in table.references.items():
        parent, _, column = map(quoted, target.partition("."))
        known = f"SELECT {column} FROM {parent} WHERE {column} IS NOT NULL"
        broken[f"whose {name} is in {target}"] = f"{quoted(name)} IS NOT NULL AND {quoted(name)} NOT IN ({known})"
    if not broken:
        return
    counts = ", ".join(f"count_if({condition})" for condition in broken.values())
    for expected, count in zip(broken, connection.execute(f"SELECT {counts} FROM {ASKED}").fetchall()[0], strict=True):
        if count:
            raise unlike("instances", f"events {expected}", f"{count:,} that break it")
