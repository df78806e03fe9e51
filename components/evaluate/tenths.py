"""Rows in tenths of their weight, in the order of their prediction: the mean prediction and the mean label of each."""

import numpy as np
import numpy.typing as npt

from tidegate.scoring.scores import Vector

INNER_EDGES = np.arange(1, 10) / 10


def places(predicted: Vector, size: Vector) -> npt.NDArray[np.intp]:
    """The tenth of each row, 0 to 9; rows of equal prediction stay together, so there may be fewer."""
    edges = np.quantile(predicted, INNER_EDGES, weights=size, method="inverted_cdf")
    return np.searchsorted(edges, predicted)


def tenths(predicted: Vector, label: Vector, weight: Vector | None = None) -> list[tuple[float, float]]:
    """Mean prediction and mean label of each tenth."""
    size = np.ones(len(label)) if weight is None else weight
    place = places(predicted, size)
    rows, filled = np.bincount(place, size), np.unique(place)
    sums = [np.bincount(place, size * values)[filled] for values in (predicted, label)]
    return [(float(x), float(y)) for x, y in zip(*(total / rows[filled] for total in sums), strict=True)]
