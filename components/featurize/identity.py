"""The id of a batch: a digest of the data version, the window and the recipe."""

import hashlib
import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import duckdb

from tidegate.documents.batch import Recipe
from tidegate.documents.formats import parse_yaml

BLANK = " \t\r\n\f\v"


def recipe(contract: str, sql: str, estimator: str, window_days: int) -> Recipe:
    """The recipe of a model beside the data: the digest of the content of each file of the problem, and the window.

    Comments and layout do not count; the order of names does, because `SELECT *` follows the order of columns.
    """
    return Recipe(
        contract=_digest(document(contract, "contract.yaml")),
        sql=_digest(statement(sql)),
        estimator=_digest(document(estimator, "model.yaml")),
        window_days=window_days,
    )


def batch_id(data: str, start: str, end: str, made_by: Recipe) -> str:
    """Sixteen hexadecimal digits; the same data, window and recipe give the same id."""
    text = json.dumps({"data": data, "start": start, "end": end, "recipe": made_by.document()}, sort_keys=True)
    return _digest(text)[:16]


def document(text: str, name: str) -> str:
    """The content of a YAML text, as JSON on one line."""
    return json.dumps(_pairs(parse_yaml(text, name)), default=repr)


def statement(sql: str) -> str:
    """A query without comments, with white space outside of quotes as one space.

    White space is never removed completely: `0x1F` and `0 x1F` have the same tokens, but different meanings.
    """
    text = sql.encode()  # DuckDB counts bytes
    parts: list[str] = []
    for (start, kind), (end, _) in pairwise([*duckdb.tokenize(sql), (len(text), None)]):
        token = text[start:end].decode()
        word = "" if kind == duckdb.token_type.comment else token.rstrip(BLANK)
        parts += [word] * bool(word) + [" "] * (word != token)
    return "".join(now for before, now in pairwise([" ", *parts]) if not before == now == " ").rstrip(" ")


def _pairs(value: Any) -> Any:
    """Mappings as lists of pairs, because JSON would turn the key 0 into the key '0'."""
    if isinstance(value, Mapping):
        return {"pairs": [[_pairs(name), _pairs(item)] for name, item in value.items()]}
    return [_pairs(item) for item in value] if isinstance(value, list | tuple) else value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
