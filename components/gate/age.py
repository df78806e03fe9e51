"""Signals of time and of what was tried before, all measured at the end of the batch and never by a clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from tidegate.components.gate.decay import Growth
from tidegate.documents.batch import Recipe
from tidegate.documents.signal import DecayDetail, NoDetail, RecipeDetail, RequestsDetail, Signal, State
from tidegate.scoring.tasks import Task
from tidegate.tracking.windows import OpenWindow

RECIPE_FILES = {
    "contract": "contract.yaml",
    "sql": "features.sql",
    "estimator": "model.yaml",
    "window_days": "window_days",
}


def recipe(before: Recipe, now: Recipe) -> Signal:
    """What differs between the champion's recipe and the one that a challenger would be made by; never opens."""
    differs = tuple(name for key, name in RECIPE_FILES.items() if getattr(before, key) != getattr(now, key))
    reason = f"{', '.join(differs)} changed since the champion was trained" if differs else "as the champion's"
    state: State = "named" if differs else "shut"
    return Signal("recipe", "recipe", state, reason, float(len(differs)), None, None, RecipeDetail(differs))


def decay(growth: Growth, loss: float, verdict_loss: float, limit: float, task: Task) -> Signal:
    """How much worse the champion is on this batch than on the rows it was promoted for, in the unit of its loss."""
    now, then = task.text(loss, 3), task.text(verdict_loss, 3)
    reason = f"the champion's {task.words} is {now} on this batch, {then} on the rows it was promoted for"
    if growth.mean is None or growth.lower is None or growth.upper is None:
        reason += ", and too few blocks of time say what chance alone does"
        detail = DecayDetail(loss, verdict_loss, None)
        return Signal("decay", "decay", "cannot tell", reason, growth.mean, limit, None, detail)
    mean, low, high = (task.text(value, 4, "+") for value in (growth.mean, growth.lower, growth.upper))
    state: State = "opens" if growth.mean > limit and growth.lower > 0 else "shut"
    detail = DecayDetail(loss, verdict_loss, (growth.lower, growth.upper))
    return Signal("decay", "decay", state, f"{reason}: {mean} [{low}, {high}]", growth.mean, limit, None, detail)


def age(learned_to: str, end: str, limit: int) -> Signal:
    """How old the newest row is that the champion has learned from."""
    days = _days(learned_to, end)
    reason = f"the champion has learned from nothing newer than {learned_to[:10]}, {days:.0f} days ago"
    return Signal("age", "age", "opens" if days > limit else "shut", reason, days, float(limit), None, NoDetail())


def requests(window: OpenWindow | None) -> list[Signal]:
    """What the champion was asked since, if it opened the gate: the batch is the newest that shares time with it."""
    if window is None:
        return []
    end = window.end[:16].replace("T", " ")
    reason = f"what the champion was asked until {end} has opened the gate: {window.reasons}"
    return [Signal("requests", "requests", "opens", reason, None, None, None, RequestsDetail(window.id, window.end))]


def cooldown(trials: Sequence[Mapping[str, str]], end: str, limit: int) -> Signal:
    """A brake: how long ago the gate was last open."""
    last = max((trial["until"] for trial in trials), default="")
    if not last:
        return _brake("cooldown", False, "the gate has not been open before", None, limit)
    days = _days(last, end)
    return _brake("cooldown", days < limit, f"the gate was last open {days:.0f} days ago, on {last}", days, limit)


def budget(trials: Sequence[Mapping[str, str]], champion: str, end: str, limit: int, days: int) -> Signal:
    """A brake: how many challengers of this champion were refused of late."""
    refused = [
        trial
        for trial in trials
        if (trial["verdict"], trial["champion"]) == ("refused", champion) and _days(trial["until"], end) <= days
    ]
    challengers = f"{len(refused)} challenger{'' if len(refused) == 1 else 's'}"
    reason = f"{challengers} of this champion refused within {days} days; {limit} may be"
    return _brake("budget", len(refused) >= limit, reason, float(len(refused)), limit)


def _brake(kind: Literal["cooldown", "budget"], holds: bool, reason: str, value: float | None, limit: int) -> Signal:
    return Signal(kind, kind, "holds" if holds else "shut", reason, value, float(limit), None, NoDetail())


def _days(since: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(since)).total_seconds() / 86400
