"""The identity of a batch: which data, until when, by which recipe."""

import hashlib
import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import duckdb

from components.formats import parse_yaml


def recipe(contract: str, sql: str, estimator: str, window_days: int) -> dict[str, str | int]:
    """What makes a model beside the data: a digest of what each of the problem's files says, and the window.

    Comments and layout say nothing: a remark is no new question to the gate.
    """
    return {
        "contract": _digest(_canonical(parse_yaml(contract, "contract.yaml"))),
        "sql": _digest(_words(sql)),
        "estimator": _digest(_canonical(parse_yaml(estimator, "model.yaml"))),
        "window_days": window_days,
    }


def batch_id(data: str, start: str, end: str, made_by: Mapping[str, str | int]) -> str:
    """Sixteen hexadecimal digits that name this batch: the same data, window and recipe give the same name."""
    document = json.dumps({"data": data, "start": start, "end": end, "recipe": dict(made_by)}, sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(document: Any) -> str:
    """A YAML document as one text, whatever the order of its names."""
    if isinstance(document, dict):
        parts = sorted((json.dumps(str(name)), _canonical(value)) for name, value in document.items())
        return "{" + ",".join(f"{name}:{value}" for name, value in parts) + "}"
    if isinstance(document, list):
        return "[" + ",".join(map(_canonical, document)) + "]"
    return json.dumps(document, default=str)


def _words(sql: str) -> str:
    """The tokens of a query without comments, each apart from the next by one space."""
    text = sql.encode()  # DuckDB counts bytes
    starts = [*duckdb.tokenize(sql), (len(text), None)]
    tokens = [
        text[start:end].decode().rstrip()
        for (start, kind), (end, _) in pairwise(starts)
        if kind != duckdb.token_type.comment
    ]
    return " ".join(tokens)
