"""The contract as SQL: promises about single rows, and the queries of the rows that keep or break them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.contract import Column, Contract, Table, literal, quoted, types
from components.schema import hint

no_number = "NULL::BIGINT"


@dataclass(frozen=True)
class Rule:
    """A promise about a row: `broken` is the SQL that holds for rows that break it.

    Rules of one `scope` are about the same column and are measured together.
    """

    name: str
    expected: str
    broken: str
    scope: str

    @property
    def label(self) -> str:
        """What a row that breaks it is told."""
        return f"{self.name}: {self.expected}"


def schema_violations(table: Table, present: Mapping[str, str]) -> list[dict[str, str]]:
    """What is wrong with a table as a whole, given its columns and SQL types: such skew stops the run."""
    extra = extra_columns(table, present)
    return [
        {"column": name, "expected": f"a column of type {column.type}", "found": _nearest(name, extra)}
        for name, column in table.visible().items()
        if name not in present
    ]


def extra_columns(table: Table, present: Mapping[str, str]) -> list[str]:
    """Columns that the contract does not know; they are named, and go no further."""
    return [name for name in present if name not in table.columns]


def as_text(table: Table, present: Mapping[str, str]) -> list[str]:
    """The columns that ingest kept as text because not all of their values could be cast."""
    visible = table.visible()
    return [name for name in visible if present.get(name) == "VARCHAR" and visible[name].type != "text"]


def typed(source: str, table: Table, present: Mapping[str, str]) -> str:
    """The rows of a table in the promised types, null where that cannot be; what was text stays beside them."""
    texts = as_text(table, present)
    if not texts:
        return source
    values = ", ".join(f"{_cast(quoted(name), table.columns[name].type)} AS {quoted(name)}" for name in texts)
    raw = ", ".join(f"{quoted(name)} AS {raw_name(name)}" for name in texts)
    numbered = f"{row_number(present)} AS file_row_number, " if row_number(present) != no_number else ""
    return f"(SELECT * REPLACE ({values}), {numbered}{raw} FROM {source})"


def row_number(present: Mapping[str, str]) -> str:
    """SQL of a row's position in its file; DuckDB has none for a file with a column of that name."""
    return no_number if "file_row_number" in map(str.lower, present) else "file_row_number"


def raw_name(name: str) -> str:
    """The column that holds the text of a column that was kept as text."""
    return quoted(f"{name} as text")


def rules(contract: Contract, table: Table, present: Mapping[str, str], parents: Mapping[str, str]) -> list[Rule]:
    """Every promise that single rows may break; `parents` has the SQL source of each table that is there."""
    texts = as_text(table, present)
    columns = [
        rule
        for name, column in table.visible().items()
        if name in present
        for rule in _column_rules(name, column, name in texts, name in table.key or name == table.time)
    ]
    rows = [Rule("rule", name, f"NOT ({condition})", f"rule {name}") for name, condition in table.rules.items()]
    return columns + rows + _references(contract, table, present, parents)


def _column_rules(name: str, column: Column, as_text: bool, required: bool) -> list[Rule]:
    value, given = quoted(name), raw_name(name) if as_text else quoted(name)
    found = []
    if required or not column.nullable:
        found.append(("no null", f"{given} IS NULL"))
    if as_text:
        found.append((f"a value of type {column.type}", f"{given} IS NOT NULL AND {value} IS NULL"))
    if column.type == "number":
        found.append(("a finite number", f"NOT isfinite({value})"))
    if column.range:
        low, high = column.range
        found.append((f"{low} to {high}", f"NOT {value} BETWEEN {low} AND {high}"))
    if column.values:
        texts = [str(item).lower() if isinstance(item, bool) else str(item) for item in column.values]
        shown = value if column.type == "text" else f"{value}::VARCHAR"
        found.append((f"one of {', '.join(texts)}", f"{shown} NOT IN ({', '.join(map(literal, texts))})"))
    return [Rule(name, expected, broken, name) for expected, broken in found]


def _references(
    contract: Contract, table: Table, present: Mapping[str, str], parents: Mapping[str, str]
) -> list[Rule]:
    found = []
    for name, target in table.references.items():
        parent, column = target.split(".")
        if name in present and parent in parents:
            known = f"SELECT {quoted(column)} FROM {parents[parent]} WHERE {quoted(column)} IS NOT NULL"
            broken = f"{quoted(name)} IS NOT NULL AND {quoted(name)} NOT IN ({known})"
            found.append(Rule(name, f"in {target}", broken, f"{name} in {target}"))
    return found


def clean_rows(source: str, table: Table, present: Mapping[str, str], broken: Sequence[Rule]) -> str:
    """The rows that keep every promise, in the promised types and in total order."""
    values = ", ".join(
        f"{quoted(name)}::{types[column.type]} AS {quoted(name)}" for name, column in table.visible().items()
    )
    kept = f" WHERE ({any_broken(broken)}) IS NOT TRUE" if broken else ""
    # Ingest has ordered them, as text what was text.
    sorted_ = set(as_text(table, present)).isdisjoint({table.time, *table.key})
    order = "" if sorted_ or not table.order() else f" ORDER BY {table.order()}"
    return f"SELECT {values} FROM {source}{kept}{order}"


def bad_rows(source: str, table: Table, present: Mapping[str, str], broken: Sequence[Rule]) -> str:
    """The rows that break a promise as they came, each with its reasons, in total order."""
    texts = as_text(table, present)
    values = ", ".join(f"{raw_name(name)} AS {quoted(name)}" if name in texts else quoted(name) for name in present)
    reasons = ", ".join(f"CASE WHEN {rule.broken} THEN {literal(rule.label)} END" for rule in broken)
    told = f"array_to_string(list_filter([{reasons}], lambda reason : reason IS NOT NULL), '; ')" if broken else "''"
    where = any_broken(broken) if broken else "false"
    return f"SELECT {values}, {told} AS reasons FROM {source} WHERE {where} ORDER BY ALL"


def any_broken(broken: Sequence[Rule]) -> str:
    """SQL that is true for a row that breaks any of these promises."""
    return " OR ".join(f"({rule.broken})" for rule in broken)


def is_as_promised(table: Table, present: Mapping[str, str]) -> bool:
    """Whether the columns of a table are those of the contract, in its order and its types."""
    return dict(present) == {name: types[column.type] for name, column in table.visible().items()} and list(
        present
    ) == list(table.visible())


def _cast(value: str, kind: str) -> str:
    """A text as the promised type or null; DuckDB would ignore a time's offset, and rounds '1.5' to 2."""
    if kind == "timestamp":
        return f"TRY({value}::TIMESTAMPTZ::TIMESTAMP)"
    if kind == "integer":
        return f"CASE WHEN TRY_CAST({value} AS DOUBLE) % 1 = 0 THEN TRY_CAST({value} AS BIGINT) END"
    return f"TRY_CAST({value} AS {types[kind]})"


def _nearest(name: str, unknown: Sequence[str]) -> str:
    told = hint(name, unknown)
    return f"none{told.removeprefix(repr(name))}"
