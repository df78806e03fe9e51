"""The day on which a run's batch ends: the one that was asked for, else that of the moment it was scheduled for."""

from datetime import UTC, datetime
from typing import NamedTuple

from tidegate.process.errors import InputError, display

UNRESOLVED = "{{$"  # what an orchestrator leaves of a placeholder that it does not know


class Day(NamedTuple):
    """The end of the batch, and in words where it comes from; no words for one that was asked for."""

    until: str
    told: str


def day(asked: str, scheduled: str, created: str, now: datetime) -> Day:
    """What was `asked`, else the UTC day for which the run was `scheduled`, was `created`, or that of `now`.

    A retry has to find the same day, so a clock counts last; InputError for a moment that is none.
    """
    if asked:
        return Day(asked, "")
    if known(scheduled):
        return Day(utc_day("scheduled", scheduled), f"scheduled for {scheduled}")
    if known(created):
        return Day(utc_day("created", created), f"the run began at {created}; Kubeflow did not say for when it was")
    moment = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    return Day(utc_day("now", moment), f"the clock said {moment}; Kubeflow did not say when the run began")


def known(moment: str) -> bool:
    """Whether a placeholder arrived as what it stands for."""
    return bool(moment) and UNRESOLVED not in moment


def utc_day(name: str, moment: str) -> str:
    """The day of a moment, which is UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        cure = "say ingest.until yourself"
        raise InputError(name, "a moment such as 2026-11-28T22:36:00Z", display(moment), cure) from None
    return f"{found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC):%Y-%m-%d}"
