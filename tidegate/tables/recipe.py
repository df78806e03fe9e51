"""The recipe of a batch and its id; every step checks that the files that it reads are those of the recipe."""

import hashlib
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from tidegate.documents.batch import Batch, Recipe
from tidegate.documents.formats import parse_yaml
from tidegate.documents.manifest import Manifest
from tidegate.documents.record import MadeFrom, Record
from tidegate.process.errors import InputError

BLANK = " \t\r\n\f\v"
FILES = {"contract": "contract.yaml", "sql": "features.sql", "estimator": "model.yaml"}
CURE = "it was edited meanwhile: run `tidegate run` again, or with --anew if that does not help"


def recipe(contract: str, sql: str, estimator: str, window_days: int) -> Recipe:
    """The recipe of a model beside the data: the digest of the content of each file of the problem, and the window.

    Comments and layout do not count; the order of names does, because `SELECT *` follows the order of columns.
    """
    texts = {"contract": contract, "sql": sql, "estimator": estimator}
    return Recipe(**{part: content_digest(part, text) for part, text in texts.items()}, window_days=window_days)


def content_digest(part: str, text: str) -> str:
    """The digest of what a file of the problem says; `part` is its name in the recipe."""
    return _digest(statement(text) if part == "sql" else document(text, FILES[part]))


def read_batch(path: Path, texts: Mapping[str, str], window_days: int | None = None) -> Batch:
    """Read batch.json; InputError for an id that is not its own, or a text that is not what the batch was made by.

    The texts are those of the problem's files, by their names in the recipe.
    """
    batch = Batch.read(path)
    if batch.id != (own := batch_id(batch.data, batch.start, batch.end, batch.recipe)):
        raise InputError(path, f"the batch {own}", f"the id {batch.id}", "run `tidegate run --anew`")
    if window_days not in (None, batch.recipe.window_days):
        expected = f"{batch.recipe.window_days}, by which batch {batch.id} was made"
        raise InputError("train.window_days", expected, str(window_days), CURE)
    for part, text in texts.items():
        if content_digest(part, text) != getattr(batch.recipe, part):
            raise InputError(FILES[part], f"what batch {batch.id} was made by", "another content", CURE)
    return batch


def read_manifest(path: Path, contract: str) -> Manifest:
    """Read manifest.json; InputError unless the tables were ingested by this text of the contract."""
    manifest = Manifest.read(path)
    if content_digest("contract", contract) != manifest.contract:
        raise InputError(FILES["contract"], "what the tables were ingested by", "another content", CURE)
    return manifest


def check_trained(record: Record, batch: Batch) -> None:
    """InputError unless a model was trained before this batch, by its recipe and from its data."""
    made_from = MadeFrom(batch.start, batch.end, batch.recipe, batch.files)
    if (record.batch, record.data, record.made_from) != (batch.id, batch.data, made_from):
        expected, found = f"a model trained before batch {batch.id}", f"one trained before batch {record.batch}"
        raise InputError("record.json", expected, found, "run `tidegate run --anew`")


def batch_id(data: str, start: str, end: str, recipe: Recipe) -> str:
    """Sixteen hexadecimal digits; the same data, window and recipe give the same id."""
    text = json.dumps({"data": data, "start": start, "end": end, "recipe": recipe.document()}, sort_keys=True)
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
