"""The fields of an instance, and what each may hold: columns of the event table, or features of the champion."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tidegate.contract.contract import Column, Contract
from tidegate.documents.schema import hint, listed
from tidegate.process.errors import display
from tidegate.serving.refusal import INVALID, RefusalError, unlike

LARGEST_INTEGER = 2**53  # beyond it not every integer is a number of JSON's usual readers
MOST_FAULTS = 5
WORDS = {
    "number": "a number",
    "integer": "a whole number",
    "text": "a text",
    "category": "a text",
    "boolean": "true or false",
    "timestamp": "a time such as 2013-03-01T06:00:00",
}
FOUND = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}

Place = Callable[[int, str], str]  # where a value of a request stands, from its row and its field


class _FaultError(Exception):
    """What was expected of a value, and what was found."""


@dataclass(frozen=True)
class Field:
    """One field: its type, and what the contract promises of its values.

    `known` are the categories that the champion learned from, where others are refused. The values of a `hidden` field
    may say who a row is: no message shows them. The value may be missing in rows whose `time` is before `since`.
    """

    type: str
    nullable: bool
    range: tuple[float, float] | None = None
    values: Collection[Any] | None = None
    known: Collection[str] | None = None
    hidden: bool = False
    since: datetime | None = None
    time: str = ""

    @property
    def expected(self) -> str:
        """What it takes, in words."""
        return WORDS[self.type] + " or null" * self.nullable

    @property
    def promised(self) -> str:
        """What the contract promises of its values, in words."""
        within = [f"{self.range[0]:g} to {self.range[1]:g}"] if self.range is not None else []
        among = [f"one of {listed(sorted(map(str, self.values)))}"] if self.values is not None else []
        return ", ".join(within + among)


def event_fields(contract: Contract) -> dict[str, Field]:
    """The columns of the event table that are known before the event; private ones are none of them."""
    table = contract.tables[contract.event]
    hidden, outcomes = table.identifying(), set(table.outcomes())
    return {
        name: _of_column(column, name in hidden, name in contract.identity, contract.time)
        for name, column in table.visible().items()
        if name not in outcomes
    }


def feature_fields(features: Mapping[str, str], known: Mapping[str, Collection[str]]) -> dict[str, Field]:
    """The features of a model by name; each may be missing, as where a join finds nothing."""
    return {
        name: Field("number" if kind == "number" else "category", nullable=True, known=known.get(name))
        for name, kind in features.items()
    }


def _of_column(column: Column, hidden: bool, identity: bool, time: str) -> Field:
    since = datetime.fromisoformat(column.since) if column.since else None
    values = column.values and frozenset(column.values)
    return Field(column.type, bool(column.nullable) and not identity, column.range, values, None, hidden, since, time)


def check_names(names: Collection[str], fields: Mapping[str, Field], place: str, what: str) -> None:
    """RefusalError for a name that is no field, and for a field that is missing."""
    if fields.keys() == set(names):
        return
    for name in names:
        if name not in fields:
            raise unlike(place, f"{what} ({listed(list(fields))})", _like(name, fields))
    missing = [name for name in fields if name not in names]
    raise unlike(place, what, f"no {listed(missing)}")


def _like(name: str, fields: Mapping[str, Field]) -> str:
    return hint(name, list(fields)) if len(name) <= 100 else display(name)


def converted(columns: Mapping[str, Sequence[Any]], fields: Mapping[str, Field], place: Place) -> dict[str, list[Any]]:
    """The values of every field in its type; RefusalError names the first faults."""
    values_of: dict[str, list[Any]] = {}
    faults: list[str] = []
    for name, field in fields.items():
        convert, values = _CONVERSIONS[field.type], values_of.setdefault(name, [])
        for row, value in enumerate(columns[name]):
            try:
                values.append(_within(convert(value), field) if value is not None else _null(field, columns, row))
            except _FaultError as fault:
                faults.append(f"{place(row, name)}: {fault}")
                break
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more fields" if len(faults) > MOST_FAULTS else ""
        raise RefusalError(INVALID, "; ".join(faults[:MOST_FAULTS]) + more)
    return values_of


def _null(field: Field, columns: Mapping[str, Sequence[Any]], row: int) -> Any:
    """None, where a value may be missing."""
    if not field.nullable and not (field.since and _timestamp(columns[field.time][row]) < field.since):
        raise _FaultError(f"expected {field.expected}, found null")
    return None


def _within(value: Any, field: Field) -> Any:
    """The value, if it is in the range and one of the values that the contract and the policy allow."""
    if field.range is not None and not field.range[0] <= value <= field.range[1]:
        raise _FaultError(f"expected {field.promised}, found {_shown(value, field)}")
    if field.values is not None and value not in field.values:
        raise _FaultError(f"expected {field.promised}, found {_shown(value, field)}")
    if field.known is not None and value not in field.known:
        raise _FaultError(f"expected a category that the model knows, found {_shown(value, field)}")
    return value


def _shown(value: Any, field: Field) -> str:
    if field.hidden:
        return "another value"
    return display(value) if isinstance(value, str) else f"{value:.17g}" if isinstance(value, float) else str(value)


def _number(value: Any) -> float:
    if type(value) is float:
        if math.isfinite(value):
            return value
        raise _FaultError(f"expected a finite number, found {'NaN' if math.isnan(value) else 'a larger one'}")
    if type(value) is int:
        return float(_integer(value))
    raise _unlike("number", value)


def _integer(value: Any) -> int:
    if type(value) is float and value.is_integer() and abs(value) <= LARGEST_INTEGER:
        return int(value)
    if type(value) is float and math.isfinite(value):
        raise _FaultError("expected a whole number, found a fraction or a number beyond 2^53")
    if type(value) is not int:
        raise _unlike("integer", value)
    if abs(value) > LARGEST_INTEGER:
        raise _FaultError("expected a whole number within 2^53, found one beyond")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _unlike("text", value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _FaultError("expected a text in Unicode, found half of a surrogate pair") from None
    return value


def _category(value: Any) -> str:
    """A feature that the SQL gives as true or false is a category of these names."""
    return str(value).lower() if type(value) is bool else _text(value)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _unlike("boolean", value)
    return value


def _timestamp(value: Any) -> datetime:
    """A time in UTC without its offset, as the clean tables have it."""
    if type(value) is not str:
        raise _unlike("timestamp", value)
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise _FaultError(f"expected {WORDS['timestamp']}, found another text") from None


def _unlike(type_: str, value: Any) -> _FaultError:
    return _FaultError(f"expected {WORDS[type_]}, found {FOUND.get(type(value), 'another value')}")


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "number": _number,
    "integer": _integer,
    "text": _text,
    "category": _category,
    "boolean": _boolean,
    "timestamp": _timestamp,
}
