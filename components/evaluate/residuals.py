"""Predicted numbers against observed ones, and how far they are apart."""

from collections.abc import Mapping

import numpy as np

from tidegate.components.evaluate.panel import Panel
from tidegate.components.evaluate.tenths import tenths
from tidegate.documents.verdict import ModelName
from tidegate.pages.axes import Axis
from tidegate.scoring.scores import Vector

SINGLE_ROWS = 250


def observed(label: Vector, predicted: Mapping[ModelName, Vector], weight: Vector | None = None) -> Panel:
    """Mean label by mean prediction of each tenth of the rows, and single rows of the challenger behind them."""
    rows = np.unique(np.linspace(0, len(label) - 1, SINGLE_ROWS).round().astype(int))
    lines = {name: tenths(values, label, weight) for name, values in predicted.items()}
    points = list(zip(predicted["challenger"][rows], label[rows], strict=True))
    axis = Axis.over([value for line in (points, *lines.values()) for point in line for value in point])
    return Panel(
        "Predicted against observed",
        x="predicted",
        y="observed",
        lines={name: axis.within(line, axis) for name, line in lines.items()},
        dots=True,
        points=axis.within(points, axis),
        x_ticks=axis.ticks(),
        y_ticks=axis.ticks(),
    )


def residuals(label: Vector, predicted: Mapping[ModelName, Vector], weight: Vector | None = None) -> Panel:
    """How large the residuals are: the share of the rows (by weight) whose absolute residual is at most so much."""
    shares = np.linspace(0, 1, 101)
    size = np.ones(len(label)) if weight is None else weight
    sizes = {
        name: np.quantile(np.abs(label - values), shares, weights=size, method="inverted_cdf")
        for name, values in predicted.items()
    }
    across, up = Axis(0.0, 1.0), Axis.over([0.0, *(quantiles[-1] for quantiles in sizes.values())])
    return Panel(
        "Residuals",
        x="share of the rows",
        y="absolute residual, at most",
        lines={
            name: across.within(list(zip(shares, quantiles, strict=True)), up) for name, quantiles in sizes.items()
        },
        diagonal=False,
        y_ticks=up.ticks(),
    )
