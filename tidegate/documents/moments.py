"""Parses times such as `ingest.until`."""

from datetime import datetime

from tidegate.process.errors import InputError, display


def moment(name: str, text: str, cure: str) -> datetime:
    """A time in UTC such as 2013-03-01 or 2013-03-01T06:00; InputError about `name` if it is invalid."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is not None:
        raise InputError(name, "a UTC time such as 2013-03-01, without an offset", display(text), cure)
    return time
