"""Signals of time and of what was tried before, all measured at the end of the batch and never by a clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tidegate.components.gate.decay import Growth
from tidegate.components.gate.signal import Signal
from tidegate.documents.batch import Recipe
from tidegate.scoring.tasks import Task

files = {"contract": "contract.yaml", "sql": "features.sql", "estimator": "model.yaml", "window_days": "window_days"}


def recipe(before: Recipe, now: Recipe) -> Signal:
    """What differs between the champion's recipe and the one that a challenger would be made by; never opens."""
    differs = [name for key, name in files.items() if getattr(before, key) != getattr(now, key)]
    words = f"{', '.join(differs)} changed since the champion was trained" if differs else "as the champion's"
    state = "told" if differs else "shut"
    return Signal("recipe", "recipe", state, words, float(len(differs)), None, None, {"differs": differs})


def decay(found: Growth, loss: float, verdict_loss: float, limit: float, task: Task) -> Signal:
    """How much worse the champion is on this batch than on the rows it was promoted for, in the unit of its loss."""
    now, then = task.text(loss, 3), task.text(verdict_loss, 3)
    words = f"the champion's {task.words} is {now} on this batch, {then} on the rows it was promoted for"
    detail: dict[str, Any] = {"loss": loss, "verdict_loss": verdict_loss, "interval": None}
    if found.mean is None or found.lower is None or found.upper is None:
        words += ", and too few blocks of time say what chance alone does"
        return Signal("decay", "decay", "cannot tell", words, found.mean, limit, None, detail)
    mean, low, high = (task.text(value, 3, "+") for value in (found.mean, found.lower, found.upper))
    state = "opens" if found.mean > limit and found.lower > 0 else "shut"
    detail["interval"] = [found.lower, found.upper]
    return Signal("decay", "decay", state, f"{words}: {mean} [{low}, {high}]", found.mean, limit, None, detail)


def age(learned_to: str, end: str, limit: int) -> Signal:
    """How old the newest row is that the champion has learned from."""
    days = _days(learned_to, end)
    words = f"the champion has learned from nothing newer than {learned_to[:10]}, {days:.0f} days ago"
    return Signal("age", "age", "opens" if days > limit else "shut", words, days, float(limit))


def cooldown(trials: Sequence[Mapping[str, str]], end: str, limit: int) -> Signal:
    """A brake: how long ago the gate was last open."""
    last = max((trial["until"] for trial in trials), default="")
    if not last:
        return Signal("cooldown", "cooldown", "shut", "the gate has not been open before", None, float(limit))
    days = _days(last, end)
    words = f"the gate was last open {days:.0f} days ago, on {last}"
    return Signal("cooldown", "cooldown", "holds" if days < limit else "shut", words, days, float(limit))


def budget(trials: Sequence[Mapping[str, str]], champion: str, end: str, limit: int, days: int) -> Signal:
    """A brake: how many challengers of this champion were refused of late."""
    refused = [
        trial
        for trial in trials
        if (trial["verdict"], trial["champion"]) == ("refused", champion) and _days(trial["until"], end) <= days
    ]
    many = f"{len(refused)} challenger{'' if len(refused) == 1 else 's'}"
    words = f"{many} of this champion refused within {days} days; {limit} may be"
    return Signal("budget", "budget", "holds" if len(refused) >= limit else "shut", words, len(refused), float(limit))


def _days(since: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(since)).total_seconds() / 86400
