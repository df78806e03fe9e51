"""Reads params.yaml, one section per step, and checks it by its JSON schema; steps check each value again."""

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
    """The values by section and name; FaultsError names each invalid line and what is allowed there."""
    return parse_parameters(read_text(path), path)


def parse_parameters(text: str, path: Path) -> dict[str, dict[str, Any]]:
    """The values in a text of params.yaml, which need not be written yet; FaultsError as `read_parameters`."""
    document = parse_yaml(text, path)
    if problems := faults(document, schema()):
        raise FaultsError(messages(problems, text, str(path)))
    values: dict[str, dict[str, Any]] = document
    return {section: {**defaults(section), **values.get(section, {})} for section in schema()["properties"]}


def defaults(section: str) -> dict[str, Any]:
    """The values of a section that older files need not have."""
    properties = schema()["properties"][section]["properties"]
    return {name: rule["default"] for name, rule in properties.items() if "default" in rule}


def optional() -> set[str]:
    """The sections that a file need not have."""
    return {*schema()["properties"]} - {*schema()["required"]}


def check_parameter(step: str, name: str, value: Any, place: str = "", cure: str = "correct params.yaml") -> None:
    """Raise InputError for a value that the schema of params.yaml forbids; unknown names pass."""
    section = schema()["properties"].get(step, {}).get("properties", {})
    for fault in faults(value, section[name]) if name in section else ():
        raise InputError(place or f"{step}.{name}", fault.expected, fault.found, cure)
