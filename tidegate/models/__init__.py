"""Saves fitted estimators as skops files in a canonical form, and loads them only if they cannot execute code."""

import hashlib
import io
from pathlib import Path
from typing import Any

from tidegate.documents.formats import replacing
from tidegate.models.archive import opened
from tidegate.models.canonical import dumped
from tidegate.models.fitted import check_fitted
from tidegate.models.nodes import check_schema
from tidegate.models.trust import BEYOND_SKOPS
from tidegate.process.errors import ModelError

__all__ = ["digest", "load", "save"]


def save(model: Any, path: Path) -> str:
    """Write an estimator or a dict of estimators deterministically; returns the digest.

    ModelError if `load` would refuse the file.
    """
    data = dumped(model, path)
    _check(data, path)
    check_fitted(model, path)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return digest(data)


def digest(data: bytes) -> str:
    """The SHA-256 of `data`, as `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def load(path: Path, digest: str | None = None) -> Any:
    """Read a file of `save`; ModelError if it does not match `digest` or contains an untrusted type."""
    data = _read(path)
    if digest is not None:
        _check_digest(data, digest, path)
    _check(data, path)
    model = _built(data, path)
    check_fitted(model, path)
    return model


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(path, "a model file", error.strerror or "no file", "run the step that writes it") from None


def _check_digest(data: bytes, expected: str, path: Path) -> None:
    found = digest(data)
    if found != expected:
        raise ModelError(path, expected, found, "fetch the model again: the file differs from the recorded one")


def _check(data: bytes, path: Path) -> None:
    schema, arrays = opened(data, path)
    check_schema(schema, arrays, path)


def _built(data: bytes, path: Path) -> Any:
    import skops.io

    try:
        return skops.io.load(io.BytesIO(data), trusted=BEYOND_SKOPS)
    except Exception as error:  # hostile state may raise any exception in a constructor
        found = f"{type(error).__name__} {ascii(str(error))[1:-1][:120]}"
        raise ModelError(path, "a model that can be rebuilt", found, "train it again") from None
