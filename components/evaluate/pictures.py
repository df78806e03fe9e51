"""Pictures of a verdict as numbers: the page draws them, in its own colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.components.evaluate.curves import curves, each_against_the_rest
from tidegate.components.evaluate.panel import Panel
from tidegate.components.evaluate.residuals import observed, residuals
from tidegate.documents.verdict import CheckResult, ModelName
from tidegate.pages.axes import Axis
from tidegate.scoring.scores import Labels, Vector

PAD = 0.06
CHECKS_OF_LOSSES = ("champion", "linear", "dummy", "slices")


@dataclass(frozen=True)
class IntervalRow:
    """The interval and the limit of a check, each position a share of the picture's width."""

    name: str
    passed: bool
    lower: float
    mean: float
    upper: float
    limit: float


@dataclass(frozen=True)
class Intervals:
    """A row for each check of a loss on a common axis; `zero` is where there is no difference."""

    zero: float
    ticks: Sequence[Mapping[str, Any]]
    rows: Sequence[IntervalRow]


def panels(task: str, label: Labels, predicted: Mapping[ModelName, Any], weight: Vector | None = None) -> list[Panel]:
    """The pictures of a task: how every model does on the same rows, each counted by its weight."""
    if task == "regression":
        return [observed(label, predicted, weight), residuals(label, predicted, weight)]
    return (each_against_the_rest if task == "multiclass" else curves)(label, predicted, weight)


def intervals(checks: Sequence[CheckResult]) -> Intervals:
    """The interval and the limit of each check of a loss."""
    of_losses = [(check, check.interval) for check in checks if check.name in CHECKS_OF_LOSSES and check.interval]
    ends = [0.0, *(value for check, bounds in of_losses for value in (*bounds, check.number, check.limit))]
    spread = max(ends) - min(ends) or 0.001
    low = min(ends) - PAD * spread
    axis = Axis(low, low + spread * (1 + 2 * PAD))
    rows = [
        IntervalRow(
            name="slices, the closest" if check.name == "slices" else check.name,
            passed=check.passed,
            lower=axis.at(bounds[0]),
            mean=axis.at(check.number),
            upper=axis.at(bounds[1]),
            limit=axis.at(check.limit),
        )
        for check, bounds in of_losses
    ]
    return Intervals(axis.at(0.0), axis.ticks(), rows)
