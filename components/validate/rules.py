"""The contract as SQL: promises about single rows, and the queries of the rows that keep or break them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidegate.components.validate.ingested import Source
from tidegate.contract.contract import SQL_TYPE, Column, literal, number, quoted
from tidegate.documents.schema import hint


@dataclass(frozen=True)
class Rule:
    """A promise about a row: `broken` is the SQL that holds for rows that break it, `value` that of what breaks it.

    Rules of one `scope` are about the same column and are measured together; `cast` marks that of a column's type.
    A value that says who a row is has no SQL.
    """

    name: str
    expected: str
    broken: str
    scope: str
    value: str = "NULL"
    cast: bool = False

    @property
    def label(self) -> str:
        """What a row that breaks it is told."""
        return f"{self.name}: {self.expected}"


@dataclass(frozen=True)
class MissingColumn:
    """A promised column that is not there, and the nearest name that is."""

    column: str
    expected: str
    found: str


def missing_columns(source: Source) -> list[MissingColumn]:
    """The promised columns that are not there: such skew stops the run."""
    return [
        MissingColumn(name, f"a column of type {column.type}", _nearest(name, extra_columns(source)))
        for name, column in source.table.visible().items()
        if name not in source.present
    ]


def extra_columns(source: Source) -> list[str]:
    """Columns that the contract does not know."""
    return [name for name in source.present if name not in source.table.columns]


def _nearest(name: str, unknown: Sequence[str]) -> str:
    return f"none{hint(name, unknown).removeprefix(repr(name))}"


def rules(source: Source, parents: Mapping[str, Source]) -> list[Rule]:
    """Every promise that single rows may break; `parents` are the tables that are there."""
    columns = [rule for name in source.promised for rule in _column_rules(source, name, source.table.columns[name])]
    conditions = source.table.rules.items() if source.promised == list(source.table.visible()) else ()
    rows = [Rule("rule", name, f"NOT ({condition}\n)", f"rule {name}") for name, condition in conditions]
    return columns + rows + _references(source, parents)


def _column_rules(source: Source, name: str, column: Column) -> list[Rule]:
    value, raw, table = quoted(name), source.raw_value(name), source.table
    promises = []
    if not column.nullable or source.required(name):
        late = (
            f" AND coalesce({quoted(str(table.time))} >= TIMESTAMP {literal(column.since)}, true)"
            if column.since
            else ""
        )
        promises.append(("no null", f"{raw} IS NULL{late}"))
    if name in source.texts:
        promises.append((f"a value of type {column.type}", f"{raw} IS NOT NULL AND {value} IS NULL"))
    if column.type == "number":
        promises.append(("a finite number", f"NOT isfinite({value})"))
    if column.range:
        low, high = column.range
        promises.append((f"{low} to {high}", f"NOT {value} BETWEEN {number(low)} AND {number(high)}"))
    if column.values:
        texts = [str(item).lower() if isinstance(item, bool) else str(item) for item in column.values]
        as_text = value if column.type == "text" else f"{value}::VARCHAR"
        promises.append((f"one of {', '.join(texts)}", f"{as_text} NOT IN ({', '.join(map(literal, texts))})"))
    example = "NULL" if name in table.identifying() else f"{raw}::VARCHAR"
    typed = f"a value of type {column.type}"
    return [Rule(name, expected, broken, name, example, expected == typed) for expected, broken in promises]


def _references(source: Source, parents: Mapping[str, Source]) -> list[Rule]:
    references = []
    for name, target in source.table.references.items():
        parent, _, column = target.partition(".")
        if name in source.present and parent in parents and column in parents[parent].present:
            parent_values = f"SELECT {quoted(column)} FROM {parents[parent].sql} WHERE {quoted(column)} IS NOT NULL"
            broken = f"{quoted(name)} IS NOT NULL AND {quoted(name)} NOT IN ({parent_values})"
            references.append(Rule(name, f"in {target}", broken, f"{name} in {target}"))
    return references


def any_broken(broken: Sequence[Rule]) -> str:
    """SQL that is true for a row that breaks any of these promises."""
    return " OR ".join(f"({rule.broken})" for rule in broken)


def clean_rows(source: Source, broken: Sequence[Rule]) -> str:
    """The rows that keep every promise, in the promised types and in total order."""
    table = source.table
    values = ", ".join(
        f"{quoted(name)}::{SQL_TYPE[column.type]} AS {quoted(name)}" for name, column in table.visible().items()
    )
    condition = f" WHERE ({any_broken(broken)}) IS NOT TRUE" if broken else ""
    # Ingest has ordered them, as text what was text.
    in_order = set(source.texts).isdisjoint({table.time, *table.key})
    order = "" if in_order or not table.order() else f" ORDER BY {table.order()}"
    return f"SELECT {values} FROM {source.sql}{condition}{order}"


def bad_rows(source: Source, broken: Sequence[Rule]) -> str:
    """The rows that break a promise as they came, each with its reasons, in total order."""
    values = ", ".join(f"{source.raw_value(name)} AS {quoted(name)}" for name in source.present)
    reasons = ", ".join(f"CASE WHEN {rule.broken} THEN {literal(rule.label)} END" for rule in broken)
    labels = f"array_to_string(list_filter([{reasons}], lambda reason : reason IS NOT NULL), '; ')" if broken else "''"
    condition = any_broken(broken) if broken else "false"
    return f"SELECT {values}, {labels} AS reasons FROM {source.sql} WHERE {condition} ORDER BY ALL"
