"""The hours of what a server has recorded, and the removal of old ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted
from tidegate.serving.recordings import CURE, hour_of, opened

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Hour:
    """The folder of an hour, with its files and their bytes."""

    path: str
    files: int
    bytes: int


def before(place: str, moment: datetime) -> list[Hour]:
    """The hours that ended before this moment (UTC, without an offset), the oldest first; none of an empty place."""
    return _asked(place, lambda: _before(place, moment))


def remove(place: str, hours: list[Hour]) -> None:
    """Remove the folders of these hours with all that is in them."""
    _asked(place, lambda: _remove(place, hours))


def _before(place: str, moment: datetime) -> list[Hour]:
    system, folder = opened(place)
    try:
        folders = [str(entry["name"]) for entry in system.ls(folder, detail=True)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    old = [(hour, path) for path in folders if (hour := hour_of(path)) and hour + timedelta(hours=1) <= moment]
    return [_hour(system, path) for _, path in sorted(old)]


def _hour(system: Any, path: str) -> Hour:
    sizes = [int(entry["size"]) for entry in system.find(path, detail=True).values()]
    return Hour(path, len(sizes), sum(sizes))


def _remove(place: str, hours: list[Hour]) -> None:
    system, _ = opened(place)
    for hour in hours:
        if system.exists(hour.path):
            system.rm(hour.path, recursive=True)


def _asked(place: str, question: Callable[[], Answer]) -> Answer:
    """The answer of a store; UnavailableError without one."""
    try:
        return within(limits.MOST_TRANSFER_SECONDS, question)
    except InputError:
        raise
    except Exception as error:  # each kind of store has its own
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UnavailableError(redacted(place), "an answer", reason, CURE) from None
