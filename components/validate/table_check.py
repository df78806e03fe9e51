"""One table against its contract: what was found, and the promises that rows break."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tidegate.components.validate.findings import Example, table_findings
from tidegate.components.validate.ingested import Source
from tidegate.components.validate.measurements import Broken, bad_count, broken_by, count
from tidegate.components.validate.pictures import pictures
from tidegate.components.validate.rules import Rule, extra_columns, missing_columns, rules
from tidegate.components.validate.table_promises import whole
from tidegate.contract.contract import Contract, quoted
from tidegate.process.errors import ContractError, display
from tidegate.tables.engine import lack


@dataclass(frozen=True)
class Checked:
    """A table that was checked: its rows as SQL, the promises that some of them break, and the findings."""

    source: Source
    broken: list[Rule]
    findings: dict[str, Any]


def check(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    name: str,
    tables: Mapping[str, Source],
    ingested: Mapping[str, Any],
    until: str | None,
    max_bad_share: float,
) -> Checked:
    """Measure one table, of which ingest said `ingested`; ContractError when a rule is no condition over it."""
    source = tables[name]
    if source.seen == list(source.table.visible()):  # a rule may need a column that is missing
        _check_rules(connection, name, source)
    rows, nulls = count(connection, source)
    try:
        broken = broken_by(connection, source, rules(source, tables))
        bad = bad_count(connection, source, broken)
    except duckdb.Error as error:  # its message may quote a value
        place, kind = f"tables.{name}.rules", type(error).__name__
        told = ContractError(place, "SQL that runs over every row", kind, "mend contract.yaml")
        raise lack(error) or told from None
    drawn = pictures(connection, source, rows)
    found = table_findings(
        rows,
        bad,
        sorted(((item.rule.label, item.rows) for item in broken), key=lambda item: (-item[1], item[0])),
        missing_columns(source),
        whole(connection, source, rows, nulls, name == contract.event, until),
        extra_columns(source),
        max_bad_share,
        {column: {"nulls": nulls[column], **drawn.get(column, {})} for column in source.seen},
        _examples(broken, ingested.get("examples", {})),
    )
    return Checked(source, [item.rule for item in broken], found)


def _examples(broken: Sequence[Broken], raw: Mapping[str, Example]) -> dict[str, Example]:
    """A row for each promise: of the raw file where ingest has seen it, else the first one of the ordered table."""
    found: dict[str, Example] = {}
    for item in broken:
        if item.rule.cast and item.rule.name in raw:
            found[item.rule.label] = raw[item.rule.name]
        elif item.row is not None:
            value = {} if item.value is None else {"value": display(item.value)}
            found[item.rule.label] = {**value, "row": item.row + 1}
    return found


def _check_rules(connection: duckdb.DuckDBPyConnection, name: str, source: Source) -> None:
    visible = ", ".join(map(quoted, source.table.visible()))
    for rule, condition in source.table.rules.items():
        try:
            query = f"SELECT count_if(NOT ({condition})) FROM (SELECT {visible} FROM {source.sql} LIMIT 0)"
            connection.execute(f"EXPLAIN {query}")
        except duckdb.Error as error:
            found = " ".join(str(error).split("LINE 1")[0].split())
            place = f"contract.yaml: tables.{name}.rules.{rule}"
            raise ContractError(place, "a condition over its columns in SQL", found, "mend it") from None
