"""The promises of the contract about a row that is to be predicted, as SQL, in the words of the server."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.contract.contract import literal, number, quoted
from tidegate.serving.fields import WORDS, Field


class Check(NamedTuple):
    """What is expected of a field, or of the row, the SQL that holds where that is broken, and what a row then has."""

    field: str
    expected: str
    broken: str
    otherwise: str = ""


def unlike(name: str) -> str:
    """The column that says whether the text of a field has another type."""
    return f"tidegate unlike {name}"


def checks(fields: Mapping[str, Field]) -> list[Check]:
    """What each field is held against, in order: a row is told the first that it breaks."""
    return [Check(name, *pair) for name, field in fields.items() for pair in _of_field(name, field)]


def _of_field(name: str, field: Field) -> list[tuple[str, str]]:
    value = quoted(name)
    pairs = [(WORDS[field.type], quoted(unlike(name)))]
    if not field.nullable:
        early = (
            f"coalesce({quoted(field.time)} < TIMESTAMP {literal(field.since.isoformat())}, false)"
            if field.since
            else ""
        )
        pairs.append((field.expected, f"{value} IS NULL" + (f" AND NOT {early}" if early else "")))
    if field.type == "number":
        pairs.append(("a finite number", f"NOT isfinite({value})"))
    if field.range is not None:
        low, high = map(_literal, field.range)
        pairs.append((field.promised, f"NOT {value} BETWEEN {low} AND {high}"))
    if field.values is not None:
        pairs.append((field.promised, f"{value} NOT IN ({', '.join(map(_literal, sorted(field.values, key=str)))})"))
    if field.known is not None:
        known = ", ".join(map(literal, sorted(field.known))) or "NULL"
        pairs.append(
            ("a category that the model knows", f"({value} NOT IN ({known})) IS NOT FALSE AND {value} IS NOT NULL")
        )
    return pairs


def _literal(value: str | float | bool) -> str:
    """A value of the contract as SQL."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, bool):
        return str(value).lower()
    return number(value)


def first_broken(conditions: Sequence[str]) -> str:
    """The SQL of the place of the first condition that holds; null where none does."""
    cases = " ".join(f"WHEN {condition} THEN {place}" for place, condition in enumerate(conditions))
    return f"CASE {cases} END::INTEGER" if cases else "NULL::INTEGER"
