"""What lacks in a window: all requests after one with some, or rows that a server could not record."""

from collections.abc import Mapping, Sequence

from tidegate.documents.decision import Decision
from tidegate.documents.traffic import Traffic
from tidegate.tracking.alerts import Alert
from tidegate.tracking.tags import Tag


def silence(decision: Decision, windows: Sequence[Mapping[str, str]]) -> Alert | None:
    """The alert of a window in which nothing was asked, if something was in the one before."""
    earlier = [tags for tags in windows if tags[Tag.END] < decision.window.end]
    if decision.window.rows or not earlier or earlier[-1].get(Tag.ROWS, "0") == "0":
        return None
    last, window = earlier[-1], decision.window
    before, start, end = (text[:16].replace("T", " ") for text in (last[Tag.END], window.start, window.end))
    reason = f"nothing was asked from {start} to {end}; the last window with requests ended {before}"
    return Alert("traffic stopped", last.get(Tag.NAME, ""), f"requests until {end}", decision.decision, [reason])


def losses(decision: Decision, traffic: Traffic) -> Alert | None:
    """The alert of a window of which rows, of any version, are not recorded."""
    if not traffic.dropped:
        return None
    start, end = (text[:16].replace("T", " ") for text in (traffic.start, traffic.end))
    recorded = sum(traffic.versions.values())
    reason = f"{traffic.dropped:,} rows from {start} to {end} are not recorded, {recorded:,} are"
    return Alert("predictions dropped", traffic.name, f"requests until {end}", decision.decision, [reason])
