"""Copies the clean tables to the place from which a server answers events; tables of a later batch stay."""

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import fsspec

from tidegate.documents.formats import replacing, tables_in
from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import holds_secret, redacted

STATE = "published.json"  # until when the tables at a place have rows; written after them
CURE = "name in validate.publish a folder, or an S3 prefix such as s3://bucket/clean/, or nothing"


class _Place(NamedTuple):
    """What reads a small file at a place, or None, and what copies a file there under its own name, whole."""

    read: Callable[[str], bytes | None]
    put: Callable[[Path], object]


def check_place(place: str, clean: Path) -> None:
    """InputError for a place that is none, or in the folder of the clean tables itself."""
    if "://" in place:
        _opened(place)
    elif clean.resolve() in (folder := Path(place).resolve(), *folder.parents):
        expected = "another folder than that of the step"
        raise InputError(f"validate.publish: {place}", expected, "a part of it", CURE)


def publish(clean: Path, place: str, until: str) -> str:
    """Copy the tables of a folder, whose rows end at `until` (ISO), to a place; returns a line for a person.

    InputError where it is not known until when the tables have rows that are there, UnavailableError for a store that
    does not answer.
    """
    read, put = _store(place) if "://" in place else _folder(Path(place).absolute())
    try:
        before = _until(read(STATE), place)
        if before and datetime.fromisoformat(before) > datetime.fromisoformat(until):
            return f"{redacted(place)} keeps its tables: they have rows until {before}, these until {until}"
        tables = tables_in(clean)
        with TemporaryDirectory() as scratch:
            state = Path(scratch, STATE)
            state.write_text(json.dumps({"until": until}))
            for path in (*tables.values(), state):
                put(path)
    except InputError:
        raise
    except Exception as error:  # each kind of store has its own
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UnavailableError(redacted(place), "a place that takes the clean tables", reason, CURE) from None
    return f"{redacted(place)} has {len(tables)} clean tables with rows until {until}"


def _until(state: bytes | None, place: str) -> str:
    """Until when the tables at a place have rows; empty where there are none."""
    if state is None:
        return ""
    try:
        until = str(json.loads(state)["until"])
        return until if datetime.fromisoformat(until) else ""
    except (ValueError, KeyError, TypeError):
        where, expected = f"{redacted(place)}: {STATE}", 'until when the tables have rows: {"until": "2013-03-01"}'
        raise InputError(where, expected, "another text", "remove it, unless the tables are later ones") from None


def _folder(folder: Path) -> _Place:
    def read(name: str) -> bytes | None:
        return (folder / name).read_bytes() if (folder / name).exists() else None

    def put(path: Path) -> None:
        with replacing(folder / path.name) as target:
            shutil.copyfile(path, target)

    return _Place(read, put)


def _opened(place: str) -> tuple[Any, str]:
    """The file system of a store, and the place in it."""
    if holds_secret(place):
        raise InputError("validate.publish", "an address without a secret", "one with a secret", "set its variables")
    timeouts = {"connect_timeout": limits.STORE_CONNECT_SECONDS, "read_timeout": limits.STORE_READ_SECONDS}
    try:
        if not all(part.strip("/") for part in place.split("://")):
            raise ValueError
        system, prefix = fsspec.core.url_to_fs(place.rstrip("/"), skip_instance_cache=True, config_kwargs=timeouts)
    except (ValueError, ImportError, TypeError):
        raise InputError(f"validate.publish: {redacted(place)}", "a folder or an S3 prefix", "another", CURE) from None
    return system, str(prefix)


def _store(place: str) -> _Place:
    system, prefix = _opened(place)

    def read(name: str) -> bytes | None:
        try:
            content: bytes = within(limits.STORE_ANSWER_SECONDS, lambda: system.cat_file(f"{prefix}/{name}"))
            return content
        except FileNotFoundError:
            return None

    def put(path: Path) -> object:
        target = f"{prefix}/{path.name}"
        return within(limits.MOST_TRANSFER_SECONDS, lambda: system.put_file(str(path), target))

    return _Place(read, put)
