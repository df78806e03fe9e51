"""What documents that steps exchange have in common: a frozen dataclass, its reader, its writer and its JSON schema.

A field with a default is left out of the file where it has that default. A field `from_` is the key `from`, which
Python keeps for itself.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

from tidegate.documents.formats import read_text, write_json
from tidegate.documents.schema import display
from tidegate.process.errors import FaultsError, InputError

CURE = "run the step that writes it again"
MOST_FAULTS = 5
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Part:
    """A dataclass that stands in a document: unknown keys and values of another type are refused."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {
        "extra": "forbid",
        "strict": True,
        "use_attribute_docstrings": True,
        "alias_generator": lambda name: name.removesuffix("_"),
    }

    def document(self) -> dict[str, Any]:
        """The part as JSON has it, its keys in the order of the fields."""
        document: dict[str, Any] = _plain(self)
        return document


class Document(Part):
    """A document of a kind; `SCHEMA` counts its forms and is the first key of the file."""

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
        number = values.get("schema") if isinstance(values, dict) else None
        if type(number) is not int or number != cls.SCHEMA:
            found = "no schema" if number is None else f"schema {number}"
            raise InputError(name, f"a {cls.__name__.lower()} of schema {cls.SCHEMA}", found, CURE)
        parsed: Self = _parsed(cls, {key: value for key, value in values.items() if key != "schema"}, name)
        return parsed

    def document(self) -> dict[str, Any]:
        """The document as JSON has it."""
        return {"schema": self.SCHEMA, **_plain(self)}

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_json(path, self.document())

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its JSON schema."""
        kind: Any = cls
        found = _adapter(kind).json_schema(mode="validation")
        own = {"schema": {"const": cls.SCHEMA, "description": "The number of this form."}}
        found["properties"] = {**own, **found["properties"]}
        found["required"] = ["schema", *found["required"]]
        return {"$schema": DIALECT, **found}


def _plain(value: Any) -> Any:
    """A value of a document as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name.removesuffix("_"): _plain(found)
            for field in fields(value)
            if (found := getattr(value, field.name)) != _default(field)
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
    return InputError(place, fault["msg"].removeprefix("Input should be "), display(fault["input"]), CURE)
