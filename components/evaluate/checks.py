"""The conditions of acceptance: what was found, against its limit, and what that says in words; pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tidegate.components.evaluate.paired_difference import Difference
from tidegate.scoring.tasks import Task

Interval = tuple[float, float]


@dataclass(frozen=True)
class Check:
    """One condition of acceptance: `rule` says which end of what was found is held against the limit, and how."""

    name: str
    passed: bool
    reason: str
    number: float
    interval: Interval | None
    rule: str
    limit: float

    def document(self) -> dict[str, Any]:
        """As it stands in verdict.json."""
        interval = None if self.interval is None else list(self.interval)
        return {**asdict(self), "interval": interval}


def against_champion(found: Difference, margin: float, task: Task) -> Check:
    """Accepted when even the upper bound of the difference is within the margin."""
    words, passed = f"{_standing(found, margin)}: {_interval(found, task)}", found.upper <= margin
    if not passed and found.lower <= 0:
        words += (
            f", and the upper bound is above {margin:g}; "
            f"the smallest difference that these rows could have shown is {task.text(found.smallest)}"
        )
    return _compared("champion", passed, words, found, "upper bound at most", margin)


def _standing(found: Difference, margin: float) -> str:
    """How the challenger stands to the champion, in words."""
    if found.upper > margin:
        return "worse than the champion" if found.lower > 0 else "cannot tell it from the champion"
    if found.upper < 0:
        return "better than the champion"
    if found.lower > 0:
        return f"worse than the champion, within the margin of {margin:g}"
    return "no worse than the champion" + (f" by more than {margin:g}" if found.upper > 0 else "")


def against_baseline(name: str, found: Difference, task: Task) -> Check:
    """Refused when clearly worse than a baseline; the dummy must be beaten outright."""
    passed, rule = (found.mean < 0, "below") if name == "dummy" else (found.lower <= 0, "lower bound at most")
    words = f"{'holds' if passed else 'fails'} against the {name} baseline: {_interval(found, task)}"
    return _compared(name, passed, words, found, rule, 0.0)


def in_slices(
    found: Mapping[str, tuple[float, Interval | None]], rival: str, margin: float, task: Task
) -> Check | None:
    """Refused when clearly worse than its rival in any slice; None where no slice has an interval.

    What is told is the slice that comes closest to being refused.
    """
    limit = max(margin, 0.0)
    known = {name: (number, interval) for name, (number, interval) in found.items() if interval is not None}
    if not known:
        return None
    worst = max(known, key=lambda name: known[name][1][0])
    number, interval = known[worst]
    failed = [name for name, (_, (low, _)) in known.items() if low > limit]
    told = f"{worst} {_interval(Difference(number, *interval), task)}"
    many = f"all {len(known)} slices" if len(known) > 1 else "its slice"
    words = (
        f"worse than the {rival} in {len(failed)} of {len(known)} slices: {told}"
        if failed
        else f"holds {many} against the {rival}; closest {told}"
    )
    return Check("slices", not failed, words, number, interval, "lower bound at most", limit)


def calibrated(found: Difference, limit: float, rival: str = "", its: float = 0.0) -> Check:
    """Refused when even the lower bound of the calibration error is beyond the limit, and beyond the rival's error.

    When the world has moved, whatever was learned before is off; that alone must not keep a worse model in place.
    """
    edge = max(limit, its)
    passed = found.lower <= edge
    told = f"calibration error {found.mean:.4f} [{found.lower:.4f}, {found.upper:.4f}]"
    within = f"{limit:g}" if edge == limit else f"{its:.4f}, the error of the {rival} on these rows"
    words = f"{'calibrated' if passed else 'not calibrated'} within {within}: {told}"
    return _compared("calibration", passed, words, found, "lower bound at most", edge)


def counted(name: str, failed: int, passing: str, failing: str) -> Check:
    """Refused when any was counted."""
    return Check(name, not failed, failing if failed else passing, float(failed), None, "at most", 0.0)


def _compared(name: str, passed: bool, words: str, found: Difference, rule: str, limit: float) -> Check:
    return Check(name, passed, words, found.mean, (found.lower, found.upper), rule, limit)


def _interval(found: Difference, task: Task) -> str:
    mean, lower, upper = (task.text(value, 4, "+") for value in (found.mean, found.lower, found.upper))
    return f"{task.words} {mean} [{lower}, {upper}]"
