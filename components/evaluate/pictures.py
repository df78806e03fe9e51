"""Pictures of a verdict as numbers: the page draws them, in its own colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import numpy as np
import pandas as pd

from components.scoring import Labels, Vector, answers, one_of

points_per_line = 250
pad = 0.06
quarters = [{"at": tick, "text": f"{tick:g}"} for tick in (0, 0.25, 0.5, 0.75, 1)]


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`, positions on which are shares of its length."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Axis":
        """An axis with room for all values."""
        low, high = float(min(values)), float(max(values))
        return cls(low, high) if high > low else cls(low - 0.5, low + 0.5)

    def at(self, value: float) -> float:
        """Where a value lies."""
        return round((float(value) - self.low) / (self.high - self.low), 4)

    def within(self, points: Sequence[tuple[float, float]], other: "Axis") -> list[tuple[float, float]]:
        """Points with x on this axis and y on the other."""
        return [(self.at(x), other.at(y)) for x, y in points]

    def ticks(self) -> list[dict[str, Any]]:
        """Round values with their places."""
        return [{"at": self.at(tick), "text": _text(tick)} for tick in _ticks(self.low, self.high)]


def panels(task: str, label: Labels, predicted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The two pictures of a task: how every model does on the same rows."""
    if task == "regression":
        found = [observed(label, predicted), residuals(label, predicted)]
    else:
        found = (each_against_the_rest if task == "multiclass" else curves)(label, predicted)
    return [{"x_ticks": quarters, "y_ticks": quarters, "points": [], "diagonal": True, **panel} for panel in found]


def each_against_the_rest(label: Labels, predicted: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """ROC of every class of every row against the rest (micro average), and calibration of the most probable class."""
    known = sorted(set(label).union(*(found.columns for found in predicted.values())))
    is_class = np.concatenate([label == name for name in known]).astype(np.float64)
    roc = curves(is_class, {m: np.concatenate([one_of(p, name) for name in known]) for m, p in predicted.items()})[0]
    sure = {name: (answers(p).astype(str) == label, p.to_numpy().max(axis=1)) for name, p in predicted.items()}
    lines = {name: _calibration(right.astype(np.float64), value) for name, (right, value) in sure.items()}
    title = "Calibration of the most probable class"
    return [
        {**roc, "title": "ROC, each class against the rest"},
        {"title": title, "x": "predicted probability", "y": "share that is right", "dots": True, "lines": lines},
    ]


def observed(label: Vector, predicted: Mapping[str, Vector]) -> dict[str, Any]:
    """Mean label by mean prediction of each tenth of the rows, and single rows of the challenger behind them."""
    rows = np.unique(np.linspace(0, len(label) - 1, points_per_line).round().astype(int))
    tenths = {name: _tenths(values, label) for name, values in predicted.items()}
    points = list(zip(predicted["challenger"][rows], label[rows], strict=True))
    ends = [value for line in (points, *tenths.values()) for point in line for value in point]
    axis = Axis.over(ends)
    return {
        "title": "Predicted against observed",
        "x": "predicted",
        "y": "observed",
        "dots": True,
        "lines": {name: axis.within(line, axis) for name, line in tenths.items()},
        "points": axis.within(points, axis),
        "x_ticks": axis.ticks(),
        "y_ticks": axis.ticks(),
    }


def residuals(label: Vector, predicted: Mapping[str, Vector]) -> dict[str, Any]:
    """How large the residuals are: the share of rows whose absolute residual is at most so much."""
    shares = np.linspace(0, 1, 101)
    sizes = {name: np.quantile(np.abs(label - values), shares) for name, values in predicted.items()}
    across, up = Axis(0.0, 1.0), Axis.over([0.0, *(value[-1] for value in sizes.values())])
    lines = {name: across.within(list(zip(shares, size, strict=True)), up) for name, size in sizes.items()}
    return {
        "title": "Residuals",
        "x": "share of the rows",
        "y": "absolute residual, at most",
        "dots": False,
        "diagonal": False,
        "lines": lines,
        "y_ticks": up.ticks(),
    }


def curves(label: Vector, predicted: Mapping[str, Vector]) -> list[dict[str, Any]]:
    """ROC and calibration of every model on the same rows; both axes run from 0 to 1."""
    from sklearn.metrics import roc_curve

    roc, calibration = {}, {}
    for name, values in predicted.items():
        false, true, _ = roc_curve(label, values)
        roc[name] = _points(false, true)
        calibration[name] = _calibration(label, values)
    return [
        {"title": "ROC", "x": "false positive rate", "y": "true positive rate", "dots": False, "lines": roc},
        {"title": "Calibration", "x": "predicted share", "y": "observed share", "dots": True, "lines": calibration},
    ]


def differences(checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The interval and the limit of each check of a verdict, with every position a share of the picture's width."""
    ends = [0.0, *(value for check in checks for value in (*check["difference"].values(), check["limit"]))]
    spread = max(ends) - min(ends) or 0.001
    low, width = min(ends) - pad * spread, spread * (1 + 2 * pad)

    def at(value: float) -> float:
        return float(round((value - low) / width, 4))

    return {
        "zero": at(0.0),
        "ticks": [{"at": at(tick), "text": _text(tick)} for tick in _ticks(low, low + width)],
        "rows": [
            {
                "name": check["name"],
                "passed": check["passed"],
                "limit": at(check["limit"]),
                **{end: at(value) for end, value in check["difference"].items()},
            }
            for check in checks
        ],
    }


def _calibration(label: Vector, values: Vector) -> list[tuple[float, float]]:
    from sklearn.calibration import calibration_curve

    share, expected = calibration_curve(label, values, n_bins=10, strategy="quantile")
    return _points(expected, share)


def _tenths(values: Vector, label: Vector) -> list[tuple[float, float]]:
    """Mean prediction and mean label of each tenth of the rows in the order of their prediction."""
    parts = np.array_split(np.argsort(values, kind="stable"), 10)
    return [(float(values[part].mean()), float(label[part].mean())) for part in parts if len(part)]


def _points(x: Vector, y: Vector) -> list[tuple[float, float]]:
    picked = np.unique(np.linspace(0, len(x) - 1, points_per_line).round().astype(int))
    return [(round(float(x[index]), 4), round(float(y[index]), 4)) for index in picked]


def _text(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 4
    unit = 10.0 ** floor(log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough)
    return [round(index * step, 12) for index in range(ceil(low / step), floor(high / step) + 1)]
