"""The conditions of acceptance: a number against its limit, and the reason in words; pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tidegate.components.evaluate.paired_difference import SIGNIFICANT, TO_SHOW, Difference
from tidegate.components.evaluate.slices import SliceDifference
from tidegate.documents.verdict import CheckResult, Interval, Needed, Rule
from tidegate.scoring.tasks import Task


@dataclass(frozen=True)
class Size:
    """How much models are compared on: the labelled rows, and the days of the batch."""

    rows: int
    days: float


def against_champion(difference: Difference, margin: float, task: Task, size: Size) -> CheckResult:
    """Accepted when even the upper bound of the difference is within the margin.

    `size` is how much the models were compared on.
    """
    passed = difference.upper <= margin
    reason = f"{_standing(difference, margin)}: {amount(difference.mean, difference.interval, task)}"
    if not passed and difference.lower <= 0:
        reason += (
            f", and the upper bound is above {margin:g}; "
            f"the smallest difference that these rows could have shown is {task.text(difference.smallest)}; "
            f"{_more(needed(difference, margin, size), size)}"
        )
    return _compared("champion", passed, reason, difference, "upper bound at most", margin)


def needed(difference: Difference, margin: float, size: Size) -> Needed | None:
    """How much data tells the two apart four times out of five, if they differ as much as was found.

    None where no amount of data would: the difference itself is above the margin. The standard error of a mean over
    blocks falls with the root of their number.
    """
    if difference.mean >= margin:
        return None
    error = max(difference.error, (margin - difference.mean) / SIGNIFICANT)  # at least: these rows did not do
    times = (TO_SHOW * error / (margin - difference.mean)) ** 2
    return Needed(math.ceil(times * size.rows), math.ceil(times * size.days))


def _more(needed: Needed | None, size: Size) -> str:
    """What `needed` says, in words."""
    if needed is None:
        return "with the difference that was found, no number of rows would do"
    more = f"{math.ceil(needed.days - size.days):,} days or {needed.rows - size.rows:,} rows more"
    return (
        f"with the difference that was found, {more} would do four times out of five "
        f"(ingest.batch_days {needed.days:,})"
    )


def _standing(difference: Difference, margin: float) -> str:
    """How the challenger stands to the champion, in words."""
    if difference.upper > margin:
        return "worse than the champion" if difference.lower > 0 else "cannot tell it from the champion"
    if difference.upper < 0:
        return "better than the champion"
    if difference.lower > 0:
        return f"worse than the champion, within the margin of {margin:g}"
    return "no worse than the champion" + (f" by more than {margin:g}" if difference.upper > 0 else "")


def against_baseline(name: str, difference: Difference, task: Task) -> CheckResult:
    """Refused when clearly worse than a baseline; the dummy must be beaten outright."""
    rule: Rule
    if name == "dummy":
        passed, rule = difference.mean < 0, "below"
    else:
        passed, rule = difference.lower <= 0, "lower bound at most"
    words = amount(difference.mean, difference.interval, task)
    reason = f"{'holds' if passed else 'fails'} against the {name} baseline: {words}"
    return _compared(name, passed, reason, difference, rule, 0.0)


def in_slices(differences: Mapping[str, SliceDifference], rival: str, margin: float, task: Task) -> CheckResult | None:
    """Refused when clearly worse than its rival in any slice; None where no slice has an interval.

    The number is that of the slice that comes closest to being refused.
    """
    limit = max(margin, 0.0)
    measured = {name: (mean, interval) for name, (mean, interval) in differences.items() if interval is not None}
    if not measured:
        return None
    worst = max(measured, key=lambda name: measured[name][1][0])
    mean, interval = measured[worst]
    failed = [name for name, (_, (lower, _)) in measured.items() if lower > limit]
    closest = f"{worst} {amount(mean, interval, task)}"
    all_of_them = f"all {len(measured)} slices" if len(measured) > 1 else "its slice"
    reason = (
        f"worse than the {rival} in {len(failed)} of {len(measured)} slices: {closest}"
        if failed
        else f"holds {all_of_them} against the {rival}; closest {closest}"
    )
    return CheckResult("slices", not failed, reason, mean, interval, "lower bound at most", limit)


def calibrated(error: Difference, limit: float, rival: str = "", rival_error: float = 0.0) -> CheckResult:
    """Refused when even the lower bound of the calibration error is beyond the limit, and beyond the rival's error.

    When the world has moved, whatever was learned before is off; that alone must not keep a worse model in place.
    """
    edge = max(limit, rival_error)
    passed = error.lower <= edge
    words = f"calibration error {error.mean:.4f} [{error.lower:.4f}, {error.upper:.4f}]"
    within = f"{limit:g}" if edge == limit else f"{rival_error:.4f}, the error of the {rival} on these rows"
    reason = f"{'calibrated' if passed else 'not calibrated'} within {within}: {words}"
    return _compared("calibration", passed, reason, error, "lower bound at most", edge)


def counted(name: str, failures: int, passing: str, failing: str) -> CheckResult:
    """Refused when there is any failure."""
    return CheckResult(name, not failures, failing if failures else passing, float(failures), None, "at most", 0.0)


def _compared(name: str, passed: bool, reason: str, difference: Difference, rule: Rule, limit: float) -> CheckResult:
    return CheckResult(name, passed, reason, difference.mean, difference.interval, rule, limit)


def amount(mean: float, interval: Interval, task: Task) -> str:
    """A difference of the loss with its interval, in words."""
    number, lower, upper = (task.text(value, 4, "+") for value in (mean, *interval))
    return f"{task.words} {number} [{lower}, {upper}]"
