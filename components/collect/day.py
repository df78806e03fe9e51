"""The end of a run's batch: the requested day, else the day for which the run was scheduled."""

from datetime import UTC, datetime
from typing import NamedTuple

from tidegate.process.errors import InputError, display

UNRESOLVED = "{{$"  # the beginning of a placeholder that the orchestrator did not replace


class Day(NamedTuple):
    """The end of the batch, and its origin in words; empty if it was requested."""

    until: str
    origin: str


def day(requested: str, scheduled: str, created: str, now: datetime) -> Day:
    """The `requested` end, else the UTC day of `scheduled`, else that of `created`, else that of `now`.

    The clock comes last, because a retry has to get the same day. InputError for an invalid time.
    """
    if requested:
        return Day(requested, "")
    if is_resolved(scheduled):
        return Day(utc_day("scheduled", scheduled), f"scheduled for {scheduled}")
    if is_resolved(created):
        return Day(utc_day("created", created), f"the run began at {created}; Kubeflow did not say for when it was")
    moment = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    return Day(utc_day("now", moment), f"the clock said {moment}; Kubeflow did not say when the run began")


def is_resolved(moment: str) -> bool:
    """Whether the orchestrator replaced the placeholder by a value."""
    return bool(moment) and UNRESOLVED not in moment


def utc_day(name: str, moment: str) -> str:
    """The UTC day of a time, which is in UTC unless it has an offset; InputError about `name` if it is invalid."""
    try:
        time = datetime.fromisoformat(moment)
    except ValueError:
        cure = "set ingest.until"
        raise InputError(name, "a moment such as 2026-11-28T22:36:00Z", display(moment), cure) from None
    return f"{time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC):%Y-%m-%d}"
