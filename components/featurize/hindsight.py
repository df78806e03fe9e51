"""Checks point-in-time correctness: no feature may change when later data is hidden."""

from collections.abc import Mapping

import duckdb

from tidegate.contract.contract import Contract, literal, quoted
from tidegate.documents.durations import interval
from tidegate.tables.features import subquery


def moments(connection: duckdb.DuckDBPyConnection, contract: Contract, count: int) -> list[str]:
    """`count` event times at even quantiles, including the latest, as ISO texts."""
    time, event = quoted(contract.time), quoted(contract.event)
    shares = ", ".join(str((index + 1) / count) for index in range(count))
    row = connection.execute(f"SELECT quantile_disc({time}, [{shares}]) FROM {event}").fetchall()[0][0]
    return [moment.isoformat() for moment in dict.fromkeys(row)]


def hidden_views(contract: Contract, moment: str) -> dict[str, str]:
    """The query per table of the data that was known `horizon` before `moment`.

    Events are always known, their outcomes only once they are `label_delay` old; rows of other tables with a time are
    known from that time on.
    """
    cutoff = f"TIMESTAMP {literal(moment)} - {interval(contract.horizon)}"
    views = {}
    for name, table in contract.tables.items():
        source = f"main.{quoted(name)}"
        if name == contract.event:
            old = f"{quoted(contract.time)} + {interval(contract.label_delay)} <= {cutoff}"
            nulls = ", ".join(f"CASE WHEN {old} THEN {quoted(c)} END AS {quoted(c)}" for c in table.outcomes())
            views[name] = f"SELECT * REPLACE ({nulls}) FROM {source}" if nulls else f"SELECT * FROM {source}"
        elif table.time:
            views[name] = f"SELECT * FROM {source} WHERE {quoted(table.time)} <= {cutoff}"
        else:
            views[name] = f"SELECT * FROM {source}"
    return views


def leaks(
    connection: duckdb.DuckDBPyConnection, sql: str, contract: Contract, features: Mapping[str, str], moment: str
) -> list[str]:
    """The features of the events at `moment` that change when data that was not yet known is hidden."""
    visible = _fingerprints(connection, sql, contract, features, moment)
    connection.execute("CREATE SCHEMA hindsight")
    try:
        for name, query in hidden_views(contract, moment).items():
            connection.execute(f"CREATE VIEW hindsight.{quoted(name)} AS {query}")
        connection.execute("SET schema = 'hindsight'")
        hidden = _fingerprints(connection, sql, contract, features, moment)
    finally:
        connection.execute("SET schema = 'main'")
        connection.execute("DROP SCHEMA hindsight CASCADE")
    return [name for name in features if visible[name] != hidden[name]]


def _fingerprints(
    connection: duckdb.DuckDBPyConnection, sql: str, contract: Contract, features: Mapping[str, str], moment: str
) -> Mapping[str, int]:
    """A digest per feature over its values and row identities; numbers are rounded."""
    identity = ", ".join(quoted(name) for name in contract.identity)
    values = ", ".join(
        f"bit_xor(hash({identity}, {_rounded(quoted(name)) if kind == 'number' else quoted(name)}))"
        for name, kind in features.items()
    )
    query = f"SELECT {values} FROM {subquery(sql)} WHERE {quoted(contract.time)} = TIMESTAMP {literal(moment)}"
    return dict(zip(features, connection.execute(query).fetchall()[0], strict=True))


def _rounded(value: str) -> str:
    """Rounded to about seven digits, because the last bits of a sum depend on the order of summation."""
    return f"TRY_CAST(round({value}::DOUBLE, 9) AS FLOAT)"
