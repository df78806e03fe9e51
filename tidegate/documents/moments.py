"""Moments as people write them: `ingest.until` and all that takes its place."""

from datetime import datetime

from tidegate.process.errors import InputError, display


def moment(name: str, text: str, cure: str) -> datetime:
    """A time in UTC such as 2013-03-01 or 2013-03-01T06:00; InputError about `name` when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise InputError(name, "a UTC time such as 2013-03-01, without an offset", display(text), cure)
    return found
