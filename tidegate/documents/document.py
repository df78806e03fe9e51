"""What documents that steps exchange have in common: a frozen dataclass, its reader, its writer and its JSON schema.

A file ends with a checksum of all else in it. A field with a default is left out of the file where it has that
default. A field `from_` is the key `from`, which Python keeps for itself.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, fields, is_dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Self, get_type_hints

from tidegate.documents.formats import read_text, write_json
from tidegate.documents.schema import display
from tidegate.process.errors import FaultsError, InputError

CURE = "run the step that writes it again"
MOST_FAULTS = 5
CHECKSUM = "checksum"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Constraint:
    """What holds of a value besides its type, in `Annotated`; the names are those of pydantic."""

    ge: float | None = None
    min_length: int | None = None
    pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler(source) | {key: limit for key, limit in asdict(self).items() if limit is not None}


@dataclass(frozen=True)
class Renamed:
    """Words of earlier documents by what they are called now, in `Annotated`."""

    words: Mapping[str, str]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self._now, handler(source))

    def _now(self, value: Any) -> Any:
        return self.words.get(value, value) if isinstance(value, str) else value


class Part:
    """A dataclass that stands in a document: unknown keys and values of another type are refused."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {
        "extra": "forbid",
        "strict": True,
        "use_attribute_docstrings": True,
        "alias_generator": lambda name: name.removesuffix("_"),
    }

    @classmethod
    def of(cls, values: Any, name: object) -> Self:
        """The part with these values of JSON; `name` stands in the InputError."""
        parsed: Self = _parsed(cls, values, name)
        return parsed

    def document(self) -> dict[str, Any]:
        """The part as JSON has it, its keys in the order of the fields."""
        document: dict[str, Any] = _plain(self)
        return document


class Document(Part):
    """A document of a kind; `SCHEMA` counts its forms and is the first key of the file, also within another one."""

    SCHEMA: ClassVar[int] = 1

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; InputError where it is missing or not such a document."""
        return cls.parse(read_text(path), path)

    @classmethod
    def parse(cls, text: str | bytes, name: object) -> Self:
        """Parse JSON; `name` stands in the InputError."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"{name}:{error.lineno}", "JSON", error.msg, CURE) from None
        return cls.of(values, name)

    @classmethod
    def of(cls, values: Any, name: object) -> Self:
        """The document with these values of JSON; `name` stands in the InputError."""
        parsed: Self = _parsed(cls, _without_schema(cls, _checked(values, name), name), name)
        return parsed

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        described = handler.resolve_ref_schema(handler(core_schema))
        own = {"schema": {"const": cls.SCHEMA, "description": "The number of this form."}}
        last = {CHECKSUM: {"type": "string", "description": "SHA-256 of all other keys; only in a file."}}
        described["properties"] = {**own, **described["properties"], **last}
        described["required"] = ["schema", *described["required"]]
        return described

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        document = self.document()
        write_json(path, {**document, CHECKSUM: checksum(document)})

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its JSON schema."""
        kind: Any = cls
        return {"$schema": DIALECT, **_adapter(kind).json_schema(mode="validation")}


def _checked(values: Any, name: object) -> Any:
    """The values without their checksum; InputError unless it is theirs. What an older version wrote has none."""
    if not isinstance(values, dict) or CHECKSUM not in values:
        return values
    rest = {key: value for key, value in values.items() if key != CHECKSUM}
    if values[CHECKSUM] != checksum(rest):
        raise InputError(name, "the document as it was written", "an altered one", "run `tidegate run --anew`")
    return rest


def checksum(values: Mapping[str, Any]) -> str:
    """SHA-256 of a document of JSON without its own checksum."""
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _without_schema(kind: type[Document], values: Any, name: object) -> dict[str, Any]:
    """The values without the key `schema` of the document and of documents in it; InputError for another form."""
    number = values.get("schema") if isinstance(values, dict) else None
    if type(number) is not int or number != kind.SCHEMA:
        found = "no schema" if number is None else f"schema {number}"
        raise InputError(name, f"a {kind.__name__.lower()} of schema {kind.SCHEMA}", found, CURE)
    inner = {key: type_ for key, type_ in get_type_hints(kind).items() if _is_document(type_)}
    return {
        key: _without_schema(inner[key], value, f"{name}: {key}") if key in inner else value
        for key, value in values.items()
        if key != "schema"
    }


def _is_document(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, Document)


def _plain(value: Any) -> Any:
    """A value of a document as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        own = {"schema": value.SCHEMA} if isinstance(value, Document) else {}
        # Compared as JSON, where an empty list is an empty tuple.
        return own | {
            field.name.removesuffix("_"): plain
            for field in fields(value)
            if (plain := _plain(getattr(value, field.name))) != _plain(_default(field))
        }
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter  # only where a document is read

    return TypeAdapter(kind)


def _parsed(kind: type, values: Any, name: object) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_json(json.dumps(values))
    except ValidationError as error:
        raise FaultsError([_fault(fault, name) for fault in error.errors()[:MOST_FAULTS]]) from None


def _fault(fault: Mapping[str, Any], name: object) -> InputError:
    """A fault that pydantic found, as a line: the place in the file, what was expected, what was found."""
    place = f"{name}: {'.'.join(map(str, fault['loc']))}"
    if fault["type"] == "missing":
        return InputError(place, "a value", "none", CURE)
    if fault["type"] == "unexpected_keyword_argument":
        return InputError(place, "no such key", display(fault["input"]), CURE)
    expected = fault["msg"].removeprefix("Input should be ")
    if fault["type"] in ("too_short", "string_too_short"):
        expected = f"a length of at least {fault['ctx']['min_length']}"
    elif fault["type"] == "string_pattern_mismatch":
        expected = f"a text of the pattern {fault['ctx']['pattern']}"
    return InputError(place, expected, display(fault["input"]), CURE)
