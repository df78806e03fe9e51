"""JSON schema, as much of it as our own schemas use: every fault of a document, in words for a person.

A keyword that is not known here raises, so that no promise of a schema is silently left unchecked.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from math import inf
from typing import Any, NamedTuple

from components.errors import InputError
from components.formats import line_of

kinds: dict[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "names with values"),
    "array": ((list,), "a list"),
    "string": ((str,), "a text"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
}
annotations = {"$schema", "title", "description", "definitions", "patternErrorMessage"}


class Fault(NamedTuple):
    """What is wrong at a path (names and positions from the root); `at_key` when the name itself is."""

    path: tuple[str | int, ...]
    expected: str
    found: str
    at_key: bool = False


def faults(document: Any, schema: Mapping[str, Any]) -> list[Fault]:
    """Everything that is wrong in a document, in the order of the document; ValueError for an unknown keyword."""
    return list(_faults(document, schema, schema, ()))


def told(found: Sequence[Fault], text: str, name: str) -> list[InputError]:
    """Each fault of a YAML file as an error that names its line."""
    return [_told(fault, text, name) for fault in found]


def _told(fault: Fault, text: str, name: str) -> InputError:
    path = fault.path[:-1] if fault.at_key else fault.path
    place = f"{name}:{line_of(text, fault.path)}" + f": {'.'.join(map(str, path))}" * bool(path)
    return InputError(place, fault.expected, fault.found, "mend it")


def hint(value: object, allowed: Sequence[str]) -> str:
    """The value as it was found, with the nearest of the allowed ones."""
    close = get_close_matches(str(value), allowed, n=1, cutoff=0.5)
    return f"{value!r} (did you mean '{close[0]}'?)" if close else repr(value)


def _faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: tuple[Any, ...]) -> Iterator[Fault]:
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].removeprefix("#/definitions/")] | {
            key: part for key, part in schema.items() if key != "$ref"
        }
    if unknown := set(schema) - set(checks) - annotations - {"type"}:
        raise ValueError(f"JSON schema: unknown keywords {sorted(unknown)}")
    if "type" in schema and not _is(value, schema["type"]):
        yield Fault(path, _words(schema["type"]), _shown(value))
        return
    for keyword in (keyword for keyword in checks if keyword in schema):
        yield from checks[keyword](value, schema, root, path)


def _is(value: Any, names: str | list[str]) -> bool:
    names = [names] if isinstance(names, str) else names
    return any(isinstance(value, kinds[name][0]) and (name == "boolean" or type(value) is not bool) for name in names)


def _words(names: str | list[str]) -> str:
    return kinds[names][1] if isinstance(names, str) else " or ".join(kinds[name][1] for name in names)


def _shown(value: Any) -> str:
    return {dict: "names with values", type(None): "nothing"}.get(type(value)) or repr(value)


def _enum(value: Any, schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(path, "a text", _shown(value))
    elif value not in schema["enum"]:
        yield Fault(path, f"one of {', '.join(schema['enum'])}", hint(value, schema["enum"]))


def _pattern(value: str, schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    if not re.search(schema["pattern"], value) or value.endswith("\n"):
        yield Fault(path, schema["patternErrorMessage"], repr(value))


def _length(value: Any, schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    least = max(schema.get(name, 0) for name in ("minItems", "minLength", "minProperties"))
    most = schema.get("maxItems", len(value))
    if len(value) < least or len(value) > most:
        yield Fault(path, f"{least} values" if least == schema.get("maxItems") else f"at least {least}", _shown(value))


def _bounds(value: Any, schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    least, most = schema.get("minimum", -inf), schema.get("maximum", inf)
    if not least <= value <= most:
        words = [f"at least {least}"] * (least > -inf) + [f"at most {most}"] * (most < inf)
        yield Fault(path, " and ".join(words), _shown(value))


def _items(value: list[Any], schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    for index, item in enumerate(value):
        yield from _faults(item, schema["items"], root, (*path, index))


def _required(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]
) -> Iterator[Fault]:
    if missing := [name for name in schema["required"] if name not in value]:
        yield Fault(path, f"all of {', '.join(schema['required'])}", f"no {', '.join(missing)}")


def _names(value: Mapping[str, Any], schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]) -> Iterator[Fault]:
    for name in value:
        for fault in _faults(name, schema["propertyNames"], root, (*path, name)):
            yield fault._replace(at_key=True)


def _properties(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Any, path: tuple[Any, ...]
) -> Iterator[Fault]:
    known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in value.items():
        inner = known.get(name, other)
        if not isinstance(name, str):
            yield Fault((*path, name), "a text as name", repr(name), at_key=True)
        elif inner is False:
            yield Fault((*path, name), f"one of {', '.join(known)}", hint(name, list(known)), at_key=True)
        elif isinstance(inner, dict):
            yield from _faults(item, inner, root, (*path, name))


Check = Callable[[Any, Mapping[str, Any], Mapping[str, Any], tuple[Any, ...]], Iterator[Fault]]


checks: dict[str, Check] = {
    "enum": _enum,
    "pattern": _pattern,
    "minLength": _length,
    "minItems": _length,
    "maxItems": lambda *_: iter(()),  # with minItems
    "minProperties": _length,
    "minimum": _bounds,
    "maximum": _bounds,
    "items": _items,
    "required": _required,
    "propertyNames": _names,
    "properties": lambda *_: iter(()),  # with additionalProperties
    "additionalProperties": _properties,
}
