"""Whether requests have stopped: a window without any after one with some."""

from collections.abc import Mapping, Sequence

from tidegate.documents.decision import Decision
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
