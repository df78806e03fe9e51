"""What a JSON schema finds in a document, in words for a person: every fault, in the order of the document."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

from components.errors import InputError
from components.formats import line_of

Path = tuple[str | int, ...]
words = {
    "object": "names with values",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


class Fault(NamedTuple):
    """What is wrong at a path (names and positions from the root); `at_key` when the name itself is."""

    path: Path
    expected: str
    found: str
    at_key: bool = False


def faults(document: Any, schema: Mapping[str, Any]) -> list[Fault]:
    """Everything that is wrong in a document, in its order; ValueError for a keyword that has no words here."""
    if unnamed := list(_unnamed(document, ())):
        return unnamed
    found = [fault for error in _validator()(schema).iter_errors(document) for fault in _in_words(error)]
    return sorted(found, key=lambda fault: _place(document, fault.path))


def told(found: Sequence[Fault], text: str, name: str) -> list[InputError]:
    """Each fault of a YAML file as an error that names its line."""
    return [_told(fault, text, name) for fault in found]


def hint(value: object, allowed: Sequence[str]) -> str:
    """The value as it was found, with the nearest of the allowed ones."""
    close = get_close_matches(str(value), allowed, n=1, cutoff=0.5)
    return f"{value!r} (did you mean '{close[0]}'?)" if close else repr(value)


def _told(fault: Fault, text: str, name: str) -> InputError:
    path = fault.path[:-1] if fault.at_key else fault.path
    place = f"{name}:{line_of(text, fault.path)}" + f": {'.'.join(map(str, path))}" * bool(path)
    return InputError(place, fault.expected, fault.found, "mend it")


@cache
def _validator() -> Any:
    """Draft 7, in which 3.0 is no whole number: a flag that wants one does not take it."""
    from jsonschema import Draft7Validator
    from jsonschema.validators import extend

    whole = Draft7Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    return extend(Draft7Validator, type_checker=whole)


def _unnamed(value: Any, path: Path) -> Iterator[Fault]:
    """Names that YAML reads as numbers or moments: a schema says nothing of those."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        if isinstance(value, dict) and not isinstance(name, str):
            yield Fault((*path, name), "a text as name", repr(name), at_key=True)
        else:
            yield from _unnamed(part, (*path, name))


def _place(document: Any, path: Path) -> list[int]:
    """Where a path lies in a document: the position of each of its steps."""
    found = []
    for step in path:
        names = list(document) if isinstance(document, dict) else list(range(len(document)))
        found.append(names.index(step))
        document = document[step]
    return found


def _in_words(error: Any) -> Iterator[Fault]:
    if error.validator not in translations:
        raise ValueError(f"JSON schema: no words for {error.validator}")
    path = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        for fault in translations[error.validator](error, path):
            yield fault._replace(path=(*path, error.instance), at_key=True)
    else:
        yield from translations[error.validator](error, path)


def _type(error: Any, path: Path) -> Iterator[Fault]:
    names = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    yield Fault(path, " or ".join(words[name] for name in names), _shown(error.instance))


def _enum(error: Any, path: Path) -> Iterator[Fault]:
    if isinstance(error.instance, str):
        yield Fault(path, f"one of {', '.join(error.validator_value)}", hint(error.instance, error.validator_value))
    else:
        yield Fault(path, "a text", _shown(error.instance))


def _pattern(error: Any, path: Path) -> Iterator[Fault]:
    yield Fault(path, error.schema["patternErrorMessage"], repr(error.instance))


def _length(error: Any, path: Path) -> Iterator[Fault]:
    least = max(error.schema.get(name, 0) for name in ("minItems", "minLength", "minProperties"))
    exact = least == error.schema.get("maxItems")
    yield Fault(path, f"{least} values" if exact else f"at least {least}", _shown(error.instance))


def _bounds(error: Any, path: Path) -> Iterator[Fault]:
    names = {"minimum": "at least", "maximum": "at most"}
    limits = [f"{name} {error.schema[keyword]}" for keyword, name in names.items() if keyword in error.schema]
    yield Fault(path, " and ".join(limits), _shown(error.instance))


def _required(error: Any, path: Path) -> Iterator[Fault]:
    """One fault for all that is missing: the library tells each by itself."""
    missing = [name for name in error.validator_value if name not in error.instance]
    if error.message.startswith(repr(missing[0])):
        yield Fault(path, f"all of {', '.join(error.validator_value)}", f"no {', '.join(missing)}")


def _unknown(error: Any, path: Path) -> Iterator[Fault]:
    known = list(error.schema.get("properties", ()))
    for name in error.instance:
        if name not in known:
            yield Fault((*path, name), f"one of {', '.join(known)}", hint(name, known), at_key=True)


def _shown(value: Any) -> str:
    return {dict: "names with values", type(None): "nothing"}.get(type(value)) or repr(value)


translations: dict[str, Callable[[Any, Path], Iterator[Fault]]] = {
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    **dict.fromkeys(("minItems", "maxItems", "minLength", "minProperties"), _length),
    **dict.fromkeys(("minimum", "maximum"), _bounds),
    "required": _required,
    "additionalProperties": _unknown,
}
