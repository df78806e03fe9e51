"""Predicted numbers against observed ones, and how far they are apart."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.evaluate.axes import Axis
from components.scoring import Vector

single_rows = 250


def observed(label: Vector, predicted: Mapping[str, Vector]) -> dict[str, Any]:
    """Mean label by mean prediction of each tenth of the rows, and single rows of the challenger behind them."""
    rows = np.unique(np.linspace(0, len(label) - 1, single_rows).round().astype(int))
    tenths = {name: _tenths(values, label) for name, values in predicted.items()}
    points = list(zip(predicted["challenger"][rows], label[rows], strict=True))
    axis = Axis.over([value for line in (points, *tenths.values()) for point in line for value in point])
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
    across, up = Axis(0.0, 1.0), Axis.over([0.0, *(size[-1] for size in sizes.values())])
    return {
        "title": "Residuals",
        "x": "share of the rows",
        "y": "absolute residual, at most",
        "dots": False,
        "diagonal": False,
        "lines": {name: across.within(list(zip(shares, size, strict=True)), up) for name, size in sizes.items()},
        "y_ticks": up.ticks(),
    }


def _tenths(values: Vector, label: Vector) -> list[tuple[float, float]]:
    """Mean prediction and mean label of each tenth of the rows in the order of their prediction."""
    parts = np.array_split(np.argsort(values, kind="stable"), 10)
    return [(float(values[part].mean()), float(label[part].mean())) for part in parts if len(part)]
