"""Predicted numbers against observed ones, and how far they are apart."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tidegate.components.evaluate.tenths import tenths
from tidegate.pages.axes import Axis
from tidegate.scoring.scores import Vector

single_rows = 250


def observed(label: Vector, predicted: Mapping[str, Vector], weight: Vector | None = None) -> dict[str, Any]:
    """Mean label by mean prediction of each tenth of the rows, and single rows of the challenger behind them."""
    rows = np.unique(np.linspace(0, len(label) - 1, single_rows).round().astype(int))
    lines = {name: tenths(values, label, weight) for name, values in predicted.items()}
    points = list(zip(predicted["challenger"][rows], label[rows], strict=True))
    axis = Axis.over([value for line in (points, *lines.values()) for point in line for value in point])
    return {
        "title": "Predicted against observed",
        "x": "predicted",
        "y": "observed",
        "dots": True,
        "lines": {name: axis.within(line, axis) for name, line in lines.items()},
        "points": axis.within(points, axis),
        "x_ticks": axis.ticks(),
        "y_ticks": axis.ticks(),
    }


def residuals(label: Vector, predicted: Mapping[str, Vector], weight: Vector | None = None) -> dict[str, Any]:
    """How large the residuals are: the share of the rows (by weight) whose absolute residual is at most so much."""
    shares = np.linspace(0, 1, 101)
    size = np.ones(len(label)) if weight is None else weight
    sizes = {
        name: np.quantile(np.abs(label - values), shares, weights=size, method="inverted_cdf")
        for name, values in predicted.items()
    }
    across, up = Axis(0.0, 1.0), Axis.over([0.0, *(found[-1] for found in sizes.values())])
    return {
        "title": "Residuals",
        "x": "share of the rows",
        "y": "absolute residual, at most",
        "dots": False,
        "diagonal": False,
        "lines": {name: across.within(list(zip(shares, found, strict=True)), up) for name, found in sizes.items()},
        "y_ticks": up.ticks(),
    }
