"""The contract as SQL: one reason per broken promise and row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from components.contract import Column, Table, literal, quoted, types


@dataclass(frozen=True)
class Rule:
    """A promise about one value: `broken` is the SQL that holds for rows that break it."""

    column: str
    expected: str
    broken: str


def schema_violations(table: Table, present: Mapping[str, str]) -> list[dict[str, str]]:
    """What is wrong with a table as a whole, given its columns and SQL types: such skew stops the run."""
    missing = [name for name in table.visible() if name not in present]
    extra = extra_columns(table, present)
    return [
        {"column": name, "expected": f"a column of type {table.columns[name].type}", "found": _nearest(name, extra)}
        for name in missing
    ]


def extra_columns(table: Table, present: Mapping[str, str]) -> list[str]:
    """Columns that the contract does not know; they are named, and go no further."""
    return [name for name in present if name not in table.columns]


def rules(table: Table, present: Mapping[str, str]) -> list[Rule]:
    """Every promise that single rows may break."""
    return [
        rule
        for name, column in table.visible().items()
        if name in present
        for rule in _column_rules(name, column, present[name], name in table.key or name == table.time)
    ]


def judged_rows(relation: str, table: Table, checked: list[Rule], present: Mapping[str, str]) -> str:
    """The rows of a table with `reasons`, the list of promises that each breaks, and `copies`, rows with its key."""
    reasons = ", ".join(f"CASE WHEN {rule.broken} THEN {literal(_label(rule))} END" for rule in checked)
    key = ", ".join(quoted(name) for name in table.key)
    whole = f"CASE WHEN {' AND '.join(f'{quoted(name)} IS NOT NULL' for name in table.key)} THEN"
    copies = f"{whole} count(*) OVER (PARTITION BY {key}) END" if key and set(table.key) <= set(present) else "1"
    return (
        f"SELECT *, list_filter([{reasons}], lambda reason : reason IS NOT NULL) AS reasons, {copies} AS copies "
        f"FROM {relation}"
    )


def clean_rows(judged: str, table: Table) -> str:
    """The rows that keep every promise, in the promised types and in total order."""
    values = ", ".join(
        f"{_typed(quoted(name), column.type)} AS {quoted(name)}" for name, column in table.visible().items()
    )
    order = f" ORDER BY {table.order()}" if table.order() else ""
    return f"SELECT {values} FROM {judged} WHERE len(reasons) = 0{order}"


def bad_rows(judged: str, table: Table, present: Mapping[str, str]) -> str:
    """The rows that break a promise, each with its reasons, in total order."""
    values = ", ".join(quoted(name) for name in present)
    return (
        f"SELECT {values}, array_to_string(reasons, '; ') AS reasons FROM {judged} WHERE len(reasons) > 0 ORDER BY ALL"
    )


def _column_rules(name: str, column: Column, kind: str, required: bool) -> list[Rule]:
    value = quoted(name)
    found = []
    if required or not column.nullable:
        found.append(Rule(name, "no null", f"{value} IS NULL"))
    if kind == "VARCHAR" and column.type != "text":
        wrong = f"{value} IS NOT NULL AND TRY({_typed(value, column.type)}) IS NULL"
        if column.type == "integer":  # DuckDB rounds '1.5' to 2
            wrong += f" OR TRY_CAST({value} AS DOUBLE) % 1 <> 0"
        found.append(Rule(name, f"a value of type {column.type}", wrong))
    number = f"TRY_CAST({value} AS DOUBLE)"
    if column.type == "number":
        found.append(Rule(name, "a finite number", f"NOT isfinite({number})"))
    if column.range:
        low, high = column.range
        found.append(Rule(name, f"{low} to {high}", f"NOT {number} BETWEEN {low} AND {high}"))
    if column.values:
        allowed = ", ".join(literal(str(item)) for item in column.values)
        found.append(
            Rule(name, f"one of {', '.join(map(str, column.values))}", f"{value}::VARCHAR NOT IN ({allowed})")
        )
    return found


def _typed(value: str, kind: str) -> str:
    """A value as the promised type; of a time that is still text, DuckDB would ignore the offset."""
    return f"{value}::TIMESTAMPTZ::TIMESTAMP" if kind == "timestamp" else f"{value}::{types[kind]}"


def _label(rule: Rule) -> str:
    return f"{rule.column}: {rule.expected}"


def _nearest(name: str, unknown: Sequence[str]) -> str:
    close = get_close_matches(name, unknown, n=1, cutoff=0.5)
    return f"none (did you mean '{close[0]}'?)" if close else "none"
