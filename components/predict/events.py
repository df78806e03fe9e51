"""The features of the events of a file: the version's own SQL over the clean tables with these events."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from tidegate.components.predict.file_columns import FAULT, PREDICTION, ROW
from tidegate.components.predict.promises import Check, first_broken
from tidegate.components.predict.scoring import ANSWERED
from tidegate.components.predict.staging import LATE, ROWS, workshop
from tidegate.contract.contract import SQL_TYPE, Contract, literal, quoted
from tidegate.process.errors import InputError
from tidegate.serving.clean_tables import ASKED, HISTORY, Source, fetched, find, needed
from tidegate.tables.engine import copy, lack, parquet
from tidegate.tables.failures import failure
from tidegate.tables.features import subquery

EVENTS = "events.parquet"


def row_checks(contract: Contract) -> list[Check]:
    """What an event is held against as a whole, its place in `late.parquet`: rules, references, identity, features."""
    rules = contract.tables[contract.event].rules
    same = " AND ".join(f"{quoted(name)} = {quoted(f'tidegate last {name}')}" for name in contract.identity)
    identity = f"another identity ({', '.join(contract.identity)}) than each earlier row"
    return [
        *(
            Check("", f"a row that keeps the rule {name!r}", f"NOT ({condition}\n)", "one that breaks it")
            for name, condition in rules.items()
        ),
        *(
            Check("", f"a row whose {name} is in {target}", _orphaned(name, target), "one that is not there")
            for name, target in contract.tables[contract.event].references.items()
        ),
        Check("", identity, same, "the same"),
        Check("", "a row of features.sql", "false", "none"),
        Check("", "features with categories that the model knows", "false", "others"),
    ]


def _orphaned(name: str, target: str) -> str:
    """The SQL that holds where a value is not among those of the column that it refers to."""
    parent, _, column = map(quoted, target.partition("."))
    known = f"SELECT {column} FROM {parent} WHERE {column} IS NOT NULL"
    return f"{quoted(name)} IS NOT NULL AND {quoted(name)} NOT IN ({known})"


def write_events(
    connection: duckdb.DuckDBPyConnection, contract: Contract, names: Mapping[str, object], scratch: Path
) -> int:
    """Write the events without a fault as rows of the event table, in its order; outcomes are unknown."""
    visible = contract.tables[contract.event].visible()
    values = ", ".join(
        f"{quoted(name) if name in names else 'NULL'}::{SQL_TYPE[column.type]} AS {quoted(name)}"
        for name, column in visible.items()
    )
    order = ", ".join(map(quoted, [*contract.identity, ROW]))
    kept = f"FROM {parquet(scratch / ROWS)} WHERE {quoted(FAULT)} IS NULL"
    return copy(connection, f"SELECT {quoted(ROW)}, {values} {kept} ORDER BY {order}", scratch / EVENTS)


def write_late(place: str, contract: Contract, scratch: Path) -> None:
    """Write the events that break a rule or a reference, or have the identity of an earlier one, with their faults.

    The tables that they refer to are those at a place.
    """
    parents = {target.partition(".")[0] for target in contract.tables[contract.event].references.values()}
    source = find(place) if parents else None
    paths = {name: fetched(source, name, scratch) for name in sorted(parents)} if source else {}
    with workshop(scratch, *{path.parent for path in paths.values()}) as connection:
        for name, path in paths.items():
            own = f" UNION ALL BY NAME SELECT * FROM {parquet(scratch / EVENTS)}" if name == contract.event else ""
            connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM {parquet(path)}{own}")
        _write_late(connection, contract, scratch)


def _write_late(connection: duckdb.DuckDBPyConnection, contract: Contract, scratch: Path) -> None:
    before = ", ".join(
        f"lag({quoted(name)}) OVER () AS {quoted(f'tidegate last {name}')}" for name in contract.identity
    )
    fault = first_broken([f"({check.broken})" for check in row_checks(contract)])
    read = f"SELECT *, {before} FROM {parquet(scratch / EVENTS)}"
    query = f"SELECT {quoted(ROW)}, {fault} AS {quoted(FAULT)} FROM ({read})"
    try:
        copy(connection, f"SELECT * FROM ({query}) WHERE {quoted(FAULT)} IS NOT NULL", scratch / LATE)
    except duckdb.Error as error:
        place = f"tables.{contract.event}.rules"
        failed = InputError(place, "SQL that runs over every row", failure(error), "correct the rows or the rule")
        raise lack(error) or failed from None


@contextmanager
def features(
    source: Source, contract: Contract, sql: str, kinds: Mapping[str, str], scratch: Path, batch: int
) -> Iterator[pa.RecordBatchReader]:
    """The identity and the features of every event, in any order; InputError where the SQL fails."""
    paths = {name: fetched(source, name, scratch) for name in sorted(needed(sql, contract))}
    with workshop(scratch, *{path.parent for path in paths.values()}) as connection:
        connection.execute("SET disabled_optimizers = ''")  # the SQL runs as in the loop
        _view(connection, contract, paths, scratch)
        connection.execute("SET threads = 1")  # as where the features of the training were computed
        connection.execute("SET lock_configuration = true")
        try:
            yield connection.sql(_query(connection, contract, sql, kinds)).to_arrow_reader(batch)
        except (duckdb.Error, pa.ArrowException) as error:
            reason = failure(error) if isinstance(error, duckdb.Error) else type(error).__name__
            failed = InputError("features.sql", "SQL that runs over every row", reason, "correct the rows or the SQL")
            raise (lack(error) if isinstance(error, duckdb.Error) else None) or failed from None


def _view(connection: duckdb.DuckDBPyConnection, contract: Contract, paths: Mapping[str, Path], scratch: Path) -> None:
    """The tables as the SQL sees them: of the event table these events, and the known ones of other identities."""
    identity = ", ".join(map(quoted, contract.identity))
    late = f"SELECT {quoted(ROW)} FROM {parquet(scratch / LATE)}"
    visible = ", ".join(map(quoted, contract.tables[contract.event].visible()))
    connection.execute(f"CREATE SCHEMA {HISTORY}")
    connection.execute(
        f"CREATE VIEW {ASKED} AS SELECT {visible} FROM {parquet(scratch / EVENTS)} WHERE {quoted(ROW)} NOT IN ({late})"
    )
    for name, path in paths.items():
        target = f"{HISTORY}.{quoted(name)}" if name == contract.event else quoted(name)
        connection.execute(f"CREATE VIEW {target} AS SELECT * FROM {parquet(path)}")
    known = f"SELECT * FROM {HISTORY}.{quoted(contract.event)} ANTI JOIN {ASKED} USING ({identity})"
    connection.execute(f"CREATE VIEW {quoted(contract.event)} AS {known} UNION ALL BY NAME SELECT * FROM {ASKED}")


def _query(connection: duckdb.DuckDBPyConnection, contract: Contract, sql: str, kinds: Mapping[str, str]) -> str:
    """The query of identity and features; the first and the last time stand in it, so that little else is read."""
    identity, time = ", ".join(map(quoted, contract.identity)), quoted(contract.time)
    values = ", ".join(
        f"{quoted(name)}::{'DOUBLE' if kind == 'number' else 'VARCHAR'} AS {quoted(name)}"
        for name, kind in kinds.items()
    )
    first, last = connection.execute(f"SELECT min({time}), max({time}) FROM {ASKED}").fetchall()[0]
    near = f"{time} BETWEEN TIMESTAMP {literal(str(first))} AND TIMESTAMP {literal(str(last))}" if first else "false"
    computed = f"SELECT {identity}, {values} FROM {subquery(sql)} WHERE {near}"
    return f"SELECT * FROM ({computed}) SEMI JOIN {ASKED} USING ({identity})"


def by_row(
    connection: duckdb.DuckDBPyConnection, contract: Contract, asked: Path, ordered: Path, scratch: Path
) -> None:
    """Bring predictions by identity into the order of the rows, and add the rows without one to the late ones."""
    identity = ", ".join(map(quoted, contract.identity))
    late = f"(SELECT * FROM {parquet(scratch / LATE)})"
    events = (
        f"(SELECT {quoted(ROW)}, {identity} FROM {parquet(scratch / EVENTS)} ANTI JOIN {late} USING ({quoted(ROW)}))"
    )
    joined = f"{events} LEFT JOIN {parquet(asked)} USING ({identity})"
    query = f"SELECT * EXCLUDE ({identity}) FROM {joined} ORDER BY {quoted(ROW)}"
    rows = copy(connection, query, ordered)
    expected = connection.execute(f"SELECT count(*) FROM {events}").fetchall()[0][0]
    if rows != expected:
        more = f"{rows - expected:,} rows more"
        raise InputError("features.sql", f"one row for each of the {expected:,} events", more, "correct its joins")
    _add_late(connection, len(row_checks(contract)), ordered, scratch)


def _add_late(connection: duckdb.DuckDBPyConnection, places: int, ordered: Path, scratch: Path) -> None:
    """Add the events without a prediction to the late ones; the last two of the `places` say why."""
    fault = f"CASE WHEN {quoted(ANSWERED)} IS NULL THEN {places - 2} ELSE {places - 1} END::INTEGER"
    lacking = f"{parquet(ordered)} WHERE {quoted(PREDICTION)} IS NULL"
    added = f"SELECT {quoted(ROW)}, {fault} AS {quoted(FAULT)} FROM {lacking}"
    copy(connection, f"SELECT * FROM {parquet(scratch / LATE)} UNION ALL {added}", scratch / f"all-{LATE}")
    (scratch / f"all-{LATE}").replace(scratch / LATE)
