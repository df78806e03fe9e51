"""Faults of a document by a JSON schema, as messages: the place, what is allowed there, what was found."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import cache
from reprlib import Repr
from typing import TYPE_CHECKING, Any, NamedTuple

from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from jsonschema import ValidationError

TYPES = {
    "object": "names with values",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
BOUNDS = {
    f"{edge}{kind}": word
    for edge in ("min", "max")
    for kind, word in {"Items": "value", "Length": "character", "Properties": "name"}.items()
}
LIMITS = {"minimum": "at least", "maximum": "at most"}
MOST_NAMES = 30


class Fault(NamedTuple):
    """A fault at a path (names and positions from the root); `at_key` if the last name itself is wrong."""

    path: tuple[str | int, ...]
    expected: str
    found: str
    at_key: bool = False
    cure: str = "correct it"


def faults(document: Any, schema: Mapping[str, Any]) -> list[Fault]:
    """All faults of a document by a JSON schema (draft 7), without duplicates."""
    errors = _validator()(schema).iter_errors(document)
    return list(dict.fromkeys(fault for error in errors for fault in _translated(error)))


def messages(problems: Sequence[Fault], text: str, name: str) -> list[InputError]:
    """The faults of a YAML file as errors that name their lines, in the order of the file."""
    from tidegate.documents.yaml import places

    place = places(text)
    ordered = sorted(problems, key=lambda fault: place(fault.path))
    return [_message(fault, f"{name}:{place(fault.path)[0]}") for fault in ordered]


def hint(value: object, allowed: Sequence[str]) -> str:
    """The value, with the most similar of the allowed ones."""
    close = get_close_matches(str(value), allowed, n=1, cutoff=0.5)
    return f"{display(value)} (did you mean '{close[0]}'?)" if close else display(value)


def listed(names: Sequence[str]) -> str:
    """Names separated by commas, at most MOST_NAMES of them."""
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def display(value: object) -> str:
    """A value in YAML's terms on one line, shortened."""
    if isinstance(value, dict) and value:
        return "names with values"
    text = str(value) if isinstance(value, date) else _SHORT.repr(value)
    return {"None": "nothing", "True": "true", "False": "false"}.get(text, text)


def _message(fault: Fault, line: str) -> InputError:
    path = fault.path[:-1] if fault.at_key else fault.path
    place = line + f": {'.'.join(map(str, path))}" * bool(path)
    return InputError(place, fault.expected, fault.found, fault.cure)


@cache
def _validator() -> Any:
    """A validator of draft 7 in which 3.0 is not an integer, and NaN and infinity are not numbers."""
    from jsonschema import Draft7Validator
    from jsonschema.validators import extend

    checker = Draft7Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    checker = checker.redefine("number", lambda _, value: type(value) in (int, float) and math.isfinite(value))
    return extend(Draft7Validator, type_checker=checker)  # type: ignore[no-untyped-call]


_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def _translated(error: "ValidationError") -> Iterator[Fault]:
    """The faults of one jsonschema error."""
    path, allowed, instance = (*error.absolute_path,), _any(error.validator_value), _any(error.instance)
    if "propertyNames" in error.schema_path:  # the fault is a name; the path is that of its mapping
        yield Fault((*path, instance), _expected(error, "a name in quotes"), display(instance), at_key=True)
    elif error.validator == "additionalProperties":
        properties = list(_any(error.schema)["properties"])
        for name in (name for name in instance if name not in properties):
            yield Fault((*path, name), f"one of {listed(properties)}", hint(name, properties), at_key=True)
    elif error.validator == "required":
        missing = [name for name in allowed if name not in instance]
        yield Fault(path, f"all of {', '.join(allowed)}", f"no {', '.join(missing)}")
    elif error.validator == "enum" and isinstance(instance, str):
        yield Fault(path, _expected(error), hint(instance, allowed))
    else:
        yield Fault(path, _expected(error), display(instance))


def _expected(error: "ValidationError", text: str = "a text") -> str:
    """What a keyword of the schema allows, in words; by default the keyword as JSON."""
    keyword, allowed, schema = str(error.validator), _any(error.validator_value), _any(error.schema)
    if keyword == "type":
        kinds = [allowed] if isinstance(allowed, str) else allowed
        return " or ".join({**TYPES, "string": text}[kind] for kind in kinds)
    if keyword == "enum":
        return f"one of {listed(allowed)}" if isinstance(error.instance, str) else text
    if keyword == "pattern" and "patternErrorMessage" in schema:
        return str(schema["patternErrorMessage"])
    if keyword in LIMITS:
        return " and ".join(f"{word} {schema[limit]}" for limit, word in LIMITS.items() if limit in schema)
    if keyword in BOUNDS:
        exact = schema.get(f"min{keyword[3:]}") == schema.get(f"max{keyword[3:]}")
        least = "" if exact else "at least " if keyword.startswith("min") else "at most "
        return f"{least}{allowed} {BOUNDS[keyword]}{'s' * (allowed != 1)}"
    return f"{keyword} {json.dumps(allowed)}"


def _any(value: object) -> Any:
    """Cast a part of an error to Any: its type includes an unset value, which does not occur here."""
    return value
