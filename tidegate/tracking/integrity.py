"""Checks the registry against the journal: the champion's version, its model and its alias."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tidegate.process.errors import TrackingError
from tidegate.tracking import failures
from tidegate.tracking.entries import Entry
from tidegate.tracking.numbered import ABSENT
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.tracking.reader import ModelVersion, Reader, RegisteredModel


def note_alias(model: RegisteredModel | None, name: str, tail: Entry, alias: str, journal: str) -> None:
    """Warn of an alias that differs from the journal: a promotion was interrupted, or someone moved it."""
    version = model.aliases.get(alias) if model else None
    if str(version) != tail.to:
        message = f"expected version {tail.to}, as in {journal}, found {version or 'none'}; it is corrected"
        print(f"warning: alias {alias} of {name}: {message}", file=sys.stderr, flush=True)


def check_champion(client: Reader, name: str, tail: Entry, journal: str) -> ModelVersion:
    """The version of the journal's last entry; TrackingError when it is missing or has another model."""
    thing, expected = f"{name} version {tail.to}", f"the champion of {journal} entry {tail.number}"
    cure = "restore it or promote another version"
    try:
        version = client.get_model_version(name, tail.to)
    except failures.of_mlflow() as error:
        if error.error_code not in ABSENT:
            raise
        raise TrackingError(thing, expected, "nothing", cure) from None
    if version.tags.get(Tag.DIGEST, "") != tail.digest:
        raise TrackingError(thing, expected, "another model", cure)
    return version
