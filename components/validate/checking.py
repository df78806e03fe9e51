"""One table against its contract: what was found, and the queries of its clean and its bad rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from components.contract import Contract, Table, literal, quoted
from components.engine import columns_of
from components.errors import ContractError
from components.validate.findings import table_findings
from components.validate.measuring import bad_count, odd_periods, scan, seconds_since_latest, sharing_rows
from components.validate.pictures import pictures
from components.validate.rules import (
    Rule,
    as_text,
    extra_columns,
    raw_name,
    row_number,
    rules,
    schema_violations,
    typed,
)


@dataclass(frozen=True)
class Checked:
    """A table that was checked: its SQL source, its columns, the rules that rows break, and the findings."""

    table: Table
    source: str
    present: Mapping[str, str]
    broken: list[Rule]
    findings: dict[str, Any]


def sources(connection: duckdb.DuckDBPyConnection, contract: Contract, paths: Mapping[str, Path]) -> dict[str, str]:
    """The SQL source of each table of the contract that is there: its rows in the promised types."""
    found = {}
    for name, path in paths.items():
        if name in contract.tables:
            relation = f"read_parquet({literal(str(path.resolve()))})"
            found[name] = typed(relation, contract.tables[name], columns_of(connection, relation))
    return found


def check(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    name: str,
    path: Path,
    parents: Mapping[str, str],
    until: str | None,
    max_bad_share: float,
) -> Checked:
    """Measure one table; ContractError when a rule is no condition over its columns."""
    table, source = contract.tables[name], parents[name]
    present = columns_of(connection, f"read_parquet({literal(str(path.resolve()))})")
    missing = schema_violations(table, present)
    if not missing:
        _check_rules(connection, name, table, source)
    else:  # a rule may need a column that is missing
        table = Table(**{**vars(table), "rules": {}})
    seen = [column for column in table.visible() if column in present]
    texts = as_text(table, present)
    given = {column: raw_name(column) if column in texts else quoted(column) for column in seen}
    try:
        rows, nulls, broken = scan(connection, source, given, rules(contract, table, present, parents))
        bad = bad_count(connection, source, broken)
    except duckdb.Error as error:  # its message may quote a value
        kind = type(error).__name__
        raise ContractError(
            f"tables.{name}.rules", "SQL that runs over every row", kind, "mend contract.yaml"
        ) from None
    shared = _shared(connection, source, table, present, rows)
    whole = [*shared, *_timed(connection, source, table, present, until)]
    drawn = pictures(connection, source, row_number(present), table, seen, rows)
    columns = {column: {"nulls": nulls[column], **drawn.get(column, {})} for column in seen}
    extra = extra_columns(table, present)
    reasons = sorted(((found.rule.label, found.rows) for found in broken), key=lambda item: (-item[1], item[0]))
    found = table_findings(rows, bad, reasons, missing, whole, extra, max_bad_share, columns)
    return Checked(table, source, present, [found.rule for found in broken], found)


def _check_rules(connection: duckdb.DuckDBPyConnection, name: str, table: Table, source: str) -> None:
    for rule, condition in table.rules.items():
        visible = ", ".join(map(quoted, table.visible()))
        try:
            query = f"SELECT count_if(NOT ({condition})) FROM (SELECT {visible} FROM {source} LIMIT 0)"
            connection.execute(f"EXPLAIN {query}")
        except duckdb.Error as error:
            found = " ".join(str(error).split("LINE 1")[0].split())
            place = f"contract.yaml: tables.{name}.rules.{rule}"
            raise ContractError(place, "a condition over its columns in SQL", found, "mend it") from None


def _shared(
    connection: duckdb.DuckDBPyConnection, source: str, table: Table, present: Mapping[str, str], rows: int
) -> list[str]:
    def sharing(names: Sequence[str]) -> int:
        return sharing_rows(connection, source, row_number(present), table, names, rows)

    found = []
    if table.key and set(table.key) <= set(present) and (shared := sharing(table.key)):
        found.append(f"key: expected unique rows, found {shared:,} rows that share their key")
    for name, column in table.visible().items():
        if column.unique and name in present and (shared := sharing([name])):
            found.append(f"{name}: expected unique values, found {shared:,} rows that share theirs")
    return found


def _timed(
    connection: duckdb.DuckDBPyConnection, source: str, table: Table, present: Mapping[str, str], until: str | None
) -> list[str]:
    found: list[str] = []
    if table.time is None or table.time not in present:
        return found
    if table.freshness and until:
        age = seconds_since_latest(connection, source, table.time, until)
        if age is not None and age > seconds(table.freshness):
            expected = f"the latest row at most {table.freshness} old at {until}"
            found.append(f"freshness: expected {expected}, found {_duration(age)}")
    for period, edges in table.rows_per.items():
        if odd := odd_periods(connection, source, table.time, period, edges):
            shown = ", ".join(f"{rows:,} in {moment}" for moment, rows in odd[:5])
            more = f" and {len(odd) - 5:,} more periods" if len(odd) > 5 else ""
            found.append(f"rows per {period}: expected {edges[0]:,} to {edges[1]:,}, found {shown}{more}")
    return found


def seconds(duration: str) -> int:
    """A duration such as 6h in seconds."""
    return int(duration[:-1]) * {"m": 60, "h": 3600, "d": 86400, "w": 604800}[duration[-1]]


def _duration(age: int) -> str:
    hours, days = age // 3600, age // 86400
    return f"{days}d {hours % 24}h" if days else f"{hours}h {age // 60 % 60}m"
