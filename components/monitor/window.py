"""The window that is judged: whole hours, so that who asks twice within an hour asks the same."""

from datetime import datetime, timedelta
from hashlib import sha256

from tidegate.contract.contract import Contract
from tidegate.documents.durations import interval, seconds
from tidegate.process.errors import InputError
from tidegate.tables.features import Window

HOUR = timedelta(hours=1)
LEAST_BLOCKS = 7  # with fewer, chance alone reaches far
MOST_HOURS = 24 * 90


def window_of(duration: str, end: datetime, contract: Contract) -> Window:
    """The window of this length up to the last whole hour before `end` (UTC); InputError for no whole hours.

    Without a duration it is a day, or seven blocks of `contract.block` if these are longer.
    """
    if duration:
        interval(duration, "window")
    length = timedelta(seconds=seconds(duration) if duration else _usual(contract))
    if not HOUR <= length <= MOST_HOURS * HOUR or length % HOUR:
        raise InputError("window", f"whole hours, 1h to {MOST_HOURS}h", duration, "such as 24h or 7d")
    last = end.replace(minute=0, second=0, microsecond=0)
    return Window(last - length, last)


def _usual(contract: Contract) -> int:
    return max(seconds("1d"), LEAST_BLOCKS * seconds(contract.block))


def id_of(name: str, version: str, window: Window) -> str:
    """Sixteen hexadecimal digits: the window of a version, whoever judges it."""
    text = f"{name} {version} {window.start.isoformat()} {window.end.isoformat()}"
    return sha256(text.encode()).hexdigest()[:16]
