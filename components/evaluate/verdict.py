"""The verdict: every check with its number, interval and limit, and the reasons in words; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from components.evaluate.comparison import Difference
from components.tasks import Task, tasks


@dataclass(frozen=True)
class Check:
    """One condition of acceptance."""

    name: str
    passed: bool
    reason: str
    difference: Difference
    limit: float


def against_champion(found: Difference, margin: float, task: Task = tasks["binary"]) -> Check:
    """Accepted when even the upper bound of the difference is within the margin."""
    interval = _interval(found, task)
    if found.upper <= margin:
        words = f"{'better' if found.upper < 0 else 'no worse'} than the champion: {interval}"
    elif found.lower > 0:
        words = f"worse than the champion: {interval}"
    else:
        words = f"cannot tell it from the champion: {interval}, and the upper bound is above {margin:g}"
    return Check("champion", found.upper <= margin, words, found, margin)


def against_baseline(name: str, found: Difference, task: Task = tasks["binary"]) -> Check:
    """Refused when clearly worse than a baseline; the dummy must be beaten outright."""
    passed = found.mean < 0 if name == "dummy" else found.lower <= 0
    words = f"{'holds' if passed else 'fails'} against the {name} baseline: {_interval(found, task)}"
    return Check(name, passed, words, found, 0.0)


def _interval(found: Difference, task: Task) -> str:
    mean, lower, upper = (task.text(value, 4, "+") for value in (found.mean, found.lower, found.upper))
    return f"{task.words} {mean} [{lower}, {upper}]"


def document(
    batch: Mapping[str, Any],
    question: Mapping[str, Any],
    champion: str | None,
    rows: int,
    blocks: int,
    checks: Sequence[Check],
    scores: Mapping[str, Mapping[str, float]],
    slices: Sequence[Mapping[str, Any]],
    task: Task = tasks["binary"],
    least: float | None = None,
) -> dict[str, Any]:
    """The verdict as a file; `question` is the challenger's digest and the policy it was judged by.

    `least` is the probability that a class has at least, where there are many.
    """
    accepted = all(check.passed for check in checks)
    reasons = [check.reason for check in checks if check.passed == accepted]
    return {
        "schema": 1,
        "batch": batch["id"],
        **question,
        "champion": champion,
        "accepted": accepted,
        "reasons": reasons,
        "rows": rows,
        "blocks": blocks,
        "loss": scores["challenger"][task.loss],
        "checks": [asdict(check) for check in checks],
        "models": [
            {"model": name, **({"loss": found[task.loss]} if task.loss in found else {}), **found}
            for name, found in scores.items()
        ],
        "slices": list(slices),
        **({"least_probability": least} if least is not None else {}),
    }
