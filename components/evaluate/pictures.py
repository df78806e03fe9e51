"""Pictures of a verdict as numbers: the page draws them, in its own colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.components.evaluate.curves import curves, each_against_the_rest
from tidegate.components.evaluate.panel import Line, Panel
from tidegate.components.evaluate.residuals import observed, residuals
from tidegate.documents.shadow import ShadowComparison
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


def distributions(comparison: ShadowComparison) -> Panel:
    """The outlines of two histograms: what the challenger and the champion say of the recorded rows."""
    bins = comparison.distribution
    shares: dict[ModelName, list[float]] = {
        "challenger": [each.challenger / comparison.rows for each in bins],
        "champion": [each.champion / comparison.rows for each in bins],
    }
    x, y = Axis(bins[0].start, bins[-1].end), Axis(0.0, max(map(max, shares.values())))
    lines: dict[ModelName, Line] = {
        model: [
            (x.at(edge), y.at(share)) for each, share in zip(bins, own, strict=True) for edge in (each.start, each.end)
        ]
        for model, own in shares.items()
    }
    words = "prediction" if comparison.differing is None else "probability"
    title, across = "What both say of the recorded rows", f"{words}, in {len(bins)} bins"
    return Panel(title, across, "share of the rows", lines, diagonal=False, x_ticks=x.ticks(), y_ticks=y.ticks())


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
