"""params.yaml: one section per step, checked by a schema when it is read, and value by value in the steps."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tidegate.documents.formats import parse_yaml, read_text
from tidegate.documents.schema import faults, messages
from tidegate.process.errors import FaultsError, InputError


@cache
def schema() -> Mapping[str, Any]:
    """The JSON schema of params.yaml."""
    document: Mapping[str, Any] = json.loads(read_text(Path(__file__).with_name("parameters.schema.json")))
    return document


def read_parameters(path: Path) -> dict[str, dict[str, Any]]:
    """The values by section and name; FaultsError names each line that is wrong and what is allowed there."""
    text = read_text(path)
    document = parse_yaml(text, path)
    if found := faults(document, schema()):
        raise FaultsError(messages(found, text, str(path)))
    values: dict[str, dict[str, Any]] = document
    return values


def check_parameter(step: str, name: str, value: Any) -> None:
    """InputError when a step is given a value that params.yaml may not hold; names of no section pass."""
    section = schema()["properties"].get(step, {}).get("properties", {})
    for fault in faults(value, section[name]) if name in section else ():
        raise InputError(f"{step}.{name}", fault.expected, fault.found, "mend params.yaml")
