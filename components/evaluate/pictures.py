"""Pictures of a verdict as numbers: the page draws them, in its own colours."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.components.evaluate.curves import curves, each_against_the_rest
from tidegate.components.evaluate.residuals import observed, residuals
from tidegate.pages.axes import QUARTERS, Axis
from tidegate.scoring.scores import Labels, Vector

pad = 0.06
of_losses = ("champion", "linear", "dummy", "slices")


def panels(
    task: str, label: Labels, predicted: Mapping[str, Any], weight: Vector | None = None
) -> list[dict[str, Any]]:
    """The pictures of a task: how every model does on the same rows, each counted by its weight."""
    if task == "regression":
        found = [observed(label, predicted, weight), residuals(label, predicted, weight)]
    else:
        found = (each_against_the_rest if task == "multiclass" else curves)(label, predicted, weight)
    return [{"x_ticks": QUARTERS, "y_ticks": QUARTERS, "points": [], "diagonal": True, **panel} for panel in found]


def differences(checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The interval and the limit of each check of a loss, with every position a share of the picture's width."""
    shown = [check for check in checks if check["name"] in of_losses]
    ends = [0.0, *(value for check in shown for value in (*check["interval"], check["number"], check["limit"]))]
    spread = max(ends) - min(ends) or 0.001
    low = min(ends) - pad * spread
    axis = Axis(low, low + spread * (1 + 2 * pad))
    return {"zero": axis.at(0.0), "ticks": axis.ticks(), "rows": [_interval(check, axis) for check in shown]}


def _interval(check: Mapping[str, Any], axis: Axis) -> dict[str, Any]:
    lower, upper = map(axis.at, check["interval"])
    places = {"lower": lower, "mean": axis.at(check["number"]), "upper": upper, "limit": axis.at(check["limit"])}
    name = "slices, the closest" if check["name"] == "slices" else check["name"]
    return {"name": name, "passed": check["passed"], **places}
