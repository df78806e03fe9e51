"""The identity of a batch: which data, until when, by which recipe."""

import hashlib
import json
from collections.abc import Mapping


def recipe(texts: Mapping[str, str], window_days: int) -> dict[str, str | int]:
    """What makes a model beside the data: the digest of each of the problem's files, and the training window."""
    return {
        **{name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "window_days": window_days,
    }


def batch_id(data: str, start: str, end: str, made_by: Mapping[str, str | int]) -> str:
    """Sixteen hexadecimal digits that name this batch: the same data, window and recipe give the same name."""
    document = json.dumps({"data": data, "start": start, "end": end, "recipe": dict(made_by)}, sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]
