"""One table against its contract: what was found, and the promises that rows break."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from tidegate.components.validate.findings import table_findings
from tidegate.components.validate.ingested import Source
from tidegate.components.validate.measurements import Broken, bad_count, broken_by, count
from tidegate.components.validate.pictures import distributions
from tidegate.components.validate.rules import Rule, extra_columns, missing_columns, rules
from tidegate.components.validate.table_promises import whole
from tidegate.contract.contract import Contract, quoted
from tidegate.documents.findings import BrokenPromise, TableFindings
from tidegate.documents.manifest import Example, IngestedTable, Manifest
from tidegate.process.errors import ContractError, display
from tidegate.tables.engine import lack, statements
from tidegate.tables.failures import failure


@dataclass(frozen=True)
class Checked:
    """A table that was checked: its rows as SQL, the promises that some of them break, and the findings."""

    source: Source
    broken: list[Rule]
    findings: TableFindings


def check_all(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    tables: Mapping[str, Source],
    ingested: Manifest,
    max_bad_share: float,
) -> dict[str, Checked]:
    """Measure every table of the contract."""
    return {
        name: check(connection, contract, name, tables, ingested.tables.get(name), ingested.until, max_bad_share)
        for name in contract.tables
    }


def check(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    name: str,
    tables: Mapping[str, Source],
    ingested: IngestedTable | None,
    until: str | None,
    max_bad_share: float,
) -> Checked:
    """Measure one table, `ingested` is its part of the manifest; ContractError when a rule is no condition over it."""
    source = tables[name]
    if source.promised == list(source.table.visible()):  # a rule may need a column that is missing
        _check_rules(connection, name, source)
    rows, nulls = count(connection, source)
    try:
        broken = broken_by(connection, source, rules(source, tables))
        bad = bad_count(connection, source, broken)
    except duckdb.Error as error:  # its message may quote a value
        found = failure(error, connection, {name: source.table}, {name: source.sql})
        failed = ContractError(f"tables.{name}.rules", "SQL that runs over every row", found, "correct contract.yaml")
        raise lack(error) or failed from None
    examples = (ingested and ingested.examples) or {}
    findings = table_findings(
        rows,
        bad,
        sorted((_promise(item, examples) for item in broken), key=lambda item: (-item.rows, item.promise)),
        missing_columns(source),
        whole(connection, source, rows, nulls, name == contract.event, until),
        extra_columns(source),
        max_bad_share,
        distributions(connection, source, rows, nulls),
    )
    return Checked(source, [item.rule for item in broken], findings)


def _promise(broken: Broken, raw: Mapping[str, Example]) -> BrokenPromise:
    """A broken promise with a row: of the raw file where ingest has seen it, else the first of the ordered table."""
    example = None
    if broken.rule.cast and broken.rule.name in raw:
        example = raw[broken.rule.name]
    elif broken.row is not None:
        example = Example(value=None if broken.value is None else display(broken.value), row=broken.row + 1)
    return BrokenPromise(broken.rule.label, broken.rows, example)


def _check_rules(connection: duckdb.DuckDBPyConnection, name: str, source: Source) -> None:
    visible = ", ".join(map(quoted, source.table.visible()))
    for rule, condition in source.table.rules.items():
        place = f"contract.yaml: tables.{name}.rules.{rule}"
        try:
            if any(statements(text) != ["SELECT"] for text in (f"SELECT {condition}", f"SELECT ({condition}\n)")):
                raise ContractError(place, "a condition over its columns in SQL", "more than that", "correct it")
            query = f"SELECT count_if(NOT ({condition}\n)) FROM (SELECT {visible} FROM {source.sql} LIMIT 0)"
            connection.execute(f"EXPLAIN {query}")
        except duckdb.Error as error:
            raise ContractError(place, "a condition over its columns in SQL", failure(error), "correct it") from None
