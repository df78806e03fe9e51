"""Pictures of a verdict as numbers: the page draws them, in its own colours."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

import numpy as np

from components.scoring import Vector

points_per_line = 250
pad = 0.06


def curves(label: Vector, predicted: Mapping[str, Vector]) -> list[dict[str, Any]]:
    """ROC and calibration of every model on the same rows; both axes run from 0 to 1."""
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import roc_curve

    roc, calibration = {}, {}
    for name, values in predicted.items():
        false, true, _ = roc_curve(label, values)
        roc[name] = _points(false, true)
        observed, expected = calibration_curve(label, values, n_bins=10, strategy="quantile")
        calibration[name] = _points(expected, observed)
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
        "ticks": [{"at": at(tick), "text": f"{tick:g}".replace("-", "−")} for tick in _ticks(low, low + width)],
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


def _points(x: Vector, y: Vector) -> list[tuple[float, float]]:
    picked = np.unique(np.linspace(0, len(x) - 1, points_per_line).round().astype(int))
    return [(round(float(x[index]), 4), round(float(y[index]), 4)) for index in picked]


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 4
    unit = 10.0 ** floor(log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough)
    return [round(index * step, 12) for index in range(ceil(low / step), floor(high / step) + 1)]
