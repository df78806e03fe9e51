"""Evidently's drift scores of one column, of many labellings of its blocks at once."""

from functools import partial

import numpy as np

from tidegate.components.gate.columns import Places
from tidegate.components.gate.counts import MOST_CELLS, Labellings, Matrix, by_value
from tidegate.components.gate.formulas import FORMULAS, area, hellinger
from tidegate.scoring.scores import Vector

METHODS = {
    "number": ("wasserstein", "jensenshannon", "hellinger", "psi"),
    "category": ("jensenshannon", "hellinger", "psi"),
}
LEAST_DEVIATION = 0.001  # Evidently's
FEW_VALUES = 20  # Evidently's: a reference of so few different numbers is compared number by number
DIGITS = 12  # the last bits depend on the machine


def number_scores(values: Vector, blocks: Places, labellings: Labellings, method: str) -> Vector:
    """The larger of the distance of the known numbers and the shift of the share that is not known (NaN)."""
    finite = np.isfinite(values)
    rows, finite_rows = _rows(blocks, labellings), _rows(blocks[finite], labellings)
    distances = _settled(finite_rows, _number_distance(values[finite], blocks[finite], labellings, method))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.nan_to_num(finite_rows / rows)
    return np.asarray(np.round(np.maximum(distances, np.abs(shares[0] - shares[1])), DIGITS))


def category_scores(places: Places, blocks: Places, labellings: Labellings, method: str) -> Vector:
    """The distance of the shares of the categories."""
    distances = by_value(places, blocks, labellings, FORMULAS[method])
    return np.round(_settled(_rows(blocks, labellings), distances), DIGITS)


def _settled(rows: Matrix, distances: Vector) -> Vector:
    """With known numbers on one side only, all that can be told is the shift of the share that is not known."""
    return np.asarray(np.where((rows == 0).any(axis=0), 0.0, distances))


def _rows(blocks: Places, labellings: Labellings) -> Matrix:
    """The rows of reference and batch: (2, labellings)."""
    sizes = np.bincount(blocks, minlength=labellings.shape[1])
    batch = labellings @ sizes
    return np.stack([sizes.sum() - batch, batch]).astype(np.float64)


def _number_distance(values: Vector, blocks: Places, labellings: Labellings, method: str) -> Vector:
    if not len(values):
        return np.zeros(len(labellings))
    different, places = np.unique(values, return_inverse=True)
    if method == "wasserstein":
        between = by_value(places, blocks, labellings, partial(area, np.diff(different)), cumulative=True)
        deviations = _reference_deviations(values, blocks, labellings)
        return between / np.maximum(deviations, LEAST_DEVIATION)
    if method == "hellinger":
        edges = _edges(different)
        factors = np.ptp(edges) / (len(edges) - 1) / np.diff(edges)  # Evidently's: about 1, but for numbers far from 0
        return by_value(_bins(values, edges), blocks, labellings, partial(hellinger, factors))
    if len(np.unique(values[~labellings[0][blocks]])) > FEW_VALUES:
        places = _bins(values, _edges(values))
    return by_value(places, blocks, labellings, FORMULAS[method])


def _edges(values: Vector) -> Vector:
    """Evidently's bins; a single one if the numbers are too near to each other, for their size, to be cut."""
    try:
        return np.histogram_bin_edges(values, bins="sturges")
    except ValueError:
        return np.array([0.0, 1.0])


def _bins(values: Vector, edges: Vector) -> Places:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def _reference_deviations(values: Vector, blocks: Places, labellings: Labellings) -> Vector:
    """The standard deviation of the reference, from sizes, means and squares of its blocks: nothing cancels out."""
    count = labellings.shape[1]
    values = values - np.median(values)
    sizes = np.bincount(blocks, minlength=count).astype(np.float64)
    means = np.bincount(blocks, values, count) / np.maximum(sizes, 1)
    squares = np.bincount(blocks, (values - means[blocks]) ** 2, count)
    step = max(1, MOST_CELLS // count)
    deviations = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, len(labellings), step):
            reference_sizes = ~labellings[start : start + step] * sizes
            rows = reference_sizes.sum(axis=1)
            centre = (reference_sizes * means).sum(axis=1) / rows
            apart = (reference_sizes * (means - centre[:, None]) ** 2).sum(axis=1)
            within = (~labellings[start : start + step] * squares).sum(axis=1)
            deviations.append(np.sqrt((apart + within) / rows))
    return np.concatenate(deviations)
