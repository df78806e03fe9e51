"""The window of the batch."""

from datetime import datetime, timedelta

from tidegate.documents.moments import moment
from tidegate.process.errors import InputError


def batch_window(until: str, days: int) -> tuple[datetime, datetime]:
    """The half-open window [until − days, until) in UTC; InputError for an invalid time or fewer than 1 day."""
    end = moment("ingest.until", until, "correct params.yaml")
    if days < 1:
        raise InputError("ingest.batch_days", "at least 1", str(days), "correct params.yaml")
    return end - timedelta(days=days), end
