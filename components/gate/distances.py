"""Evidently's drift scores of one column, of many labellings of its blocks at once.

A labelling says of each block whether it belongs to the batch. Rows are counted in whole numbers, and sums go along
one axis of one thread: the scores are the same for any number of threads.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from components.gate.columns import Places
from components.scoring import Vector

Matrix = npt.NDArray[np.float64]  # (labellings, values)
Labellings = npt.NDArray[np.bool_]  # (labellings, blocks); the first row is the true one
Counter = Callable[[Labellings], Matrix]
Formula = Callable[[Matrix, Matrix], Vector]  # rows of the batch and of the reference with each value -> scores

methods = {
    "number": ("wasserstein", "jensenshannon", "hellinger", "psi"),
    "category": ("jensenshannon", "hellinger", "psi"),
}
cells = 200_000  # of the matrices that are held at once
dense = 2_000_000  # cells of a table of blocks and values that is still multiplied faster than rows are counted
least_deviation = 0.001  # Evidently's
few_values = 20  # Evidently's: a reference of so few different numbers is compared number by number
digits = 12  # the last bits depend on the machine


def number_scores(values: Vector, blocks: Places, labellings: Labellings, method: str) -> Vector:
    """The larger of the distance of the known numbers and the shift of the share that is not known (NaN)."""
    known = np.isfinite(values)
    rows, kept = _rows(blocks, labellings), _rows(blocks[known], labellings)
    found = _settled(kept, _number_distance(values[known], blocks[known], labellings, method))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.nan_to_num(kept / rows)
    return np.asarray(np.round(np.maximum(found, np.abs(shares[0] - shares[1])), digits))


def category_scores(places: Places, blocks: Places, labellings: Labellings, method: str) -> Vector:
    """The distance of the shares of the categories; rows of place -1 do not count."""
    known = places >= 0
    places, blocks = places[known], blocks[known]
    found = _by_value(places, blocks, labellings, formulas[method])
    return np.round(_settled(_rows(blocks, labellings), found), digits)


def _settled(rows: Matrix, found: Vector) -> Vector:
    """With rows on one side only the distance is 1, with none at all 0."""
    empty = rows == 0
    return np.asarray(np.where(empty.all(axis=0), 0.0, np.where(empty.any(axis=0), 1.0, found)))


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
        area = _by_value(places, blocks, labellings, partial(_area, np.diff(different)), cumulative=True)
        deviations = _reference_deviations(values, blocks, labellings)
        return area / np.maximum(deviations, least_deviation)
    if method == "hellinger":
        places = _bins(values, np.histogram_bin_edges(different, bins="sturges"))
    elif len(np.unique(values[~labellings[0][blocks]])) > few_values:
        places = _bins(values, np.histogram_bin_edges(values, bins="sturges"))
    return _by_value(places, blocks, labellings, formulas[method])


def _bins(values: Vector, edges: Vector) -> Places:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def _by_value(
    places: Places, blocks: Places, labellings: Labellings, formula: Formula, cumulative: bool = False
) -> Vector:
    """The formula of the rows with each value, or up to each; no more labellings at once than a cache is meant for."""
    if not len(places):
        return np.zeros(len(labellings))
    total = np.bincount(places).astype(np.float64)
    total = np.cumsum(total) if cumulative else total
    count = (_cumulating if cumulative else _counting)(places, blocks, labellings.shape[1], len(total))
    step = max(1, cells // max(len(total), labellings.shape[1]))
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, len(labellings), step):
            batch = count(labellings[start : start + step])
            found.append(formula(batch, total - batch))
    return np.concatenate(found)


def _counting(places: Places, blocks: Places, count: int, size: int) -> Counter:
    """How many rows of the chosen blocks have each value: by a product if the table is small, row by row otherwise."""
    if count * size <= dense:
        return _multiplied(_table(places, blocks, count, size))
    return lambda chosen: np.stack(
        [np.bincount(places[picked[blocks]], minlength=size) for picked in chosen], dtype=np.float64
    )


def _cumulating(places: Places, blocks: Places, count: int, size: int) -> Counter:
    """How many rows of the chosen blocks have each value or a smaller one."""
    if count * size <= dense:
        return _multiplied(_table(places, blocks, count, size).cumsum(axis=1))
    ordered, last = blocks[np.argsort(places, kind="stable")], np.cumsum(np.bincount(places)) - 1
    return lambda chosen: (
        np.cumsum(chosen.take(ordered, axis=1), axis=1, dtype=np.int32).take(last, axis=1).astype(np.float64)
    )


def _table(places: Places, blocks: Places, count: int, size: int) -> Places:
    return np.bincount(blocks * size + places, minlength=count * size).reshape(count, size)


def _multiplied(table: Places) -> Counter:
    whole = table.astype(np.float32)  # exact up to 16 million rows, in whatever order they are added
    return lambda chosen: (chosen.astype(np.float32) @ whole).astype(np.float64)


def _area(widths: Vector, batch: Matrix, reference: Matrix) -> Vector:
    """The area between the two cumulative distributions."""
    batch /= batch[:, -1:]
    reference /= reference[:, -1:]
    batch -= reference
    return np.asarray(np.einsum("ij,j->i", np.abs(batch, out=batch)[:, :-1], widths))


def _reference_deviations(values: Vector, blocks: Places, labellings: Labellings) -> Vector:
    """The standard deviation of the reference, from sizes, means and squares of its blocks: nothing cancels out."""
    count = labellings.shape[1]
    sizes = np.bincount(blocks, minlength=count).astype(np.float64)
    means = np.bincount(blocks, values, count) / np.maximum(sizes, 1)
    squares = np.bincount(blocks, (values - means[blocks]) ** 2, count)
    step = max(1, cells // count)
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, len(labellings), step):
            kept = ~labellings[start : start + step] * sizes
            rows = kept.sum(axis=1)
            centre = (kept * means).sum(axis=1) / rows
            apart = (kept * (means - centre[:, None]) ** 2).sum(axis=1)
            within = (~labellings[start : start + step] * squares).sum(axis=1)
            found.append(np.sqrt((apart + within) / rows))
    return np.concatenate(found)


def _shares(batch: Matrix, reference: Matrix) -> tuple[Matrix, Matrix]:
    return batch / batch.sum(axis=1, keepdims=True), reference / reference.sum(axis=1, keepdims=True)


def _jensenshannon(batch: Matrix, reference: Matrix) -> Vector:
    now, before = _shares(batch, reference)
    middle = (now + before) / 2
    found = sum((_entropy(side, middle).sum(axis=1) for side in (now, before)), start=np.zeros(len(now)))
    return np.asarray(np.sqrt(np.maximum(found / 2, 0.0)))


def _entropy(share: Matrix, middle: Matrix) -> Matrix:
    return np.where(share > 0, share * np.log(np.where(share > 0, share / middle, 1.0)), 0.0)


def _hellinger(batch: Matrix, reference: Matrix) -> Vector:
    now, before = _shares(batch, reference)
    return np.asarray(np.sqrt(1 - np.clip(np.sqrt(now * before).sum(axis=1), 0.0, 1.0)))


def _psi(batch: Matrix, reference: Matrix) -> Vector:
    now, before = (_filled(side) for side in _shares(batch, reference))
    return np.asarray(((before - now) * np.log(before / now)).sum(axis=1))


def _filled(share: Matrix) -> Matrix:
    """What Evidently puts in the place of 0: a small share, far below the least that is there."""
    least = np.where(share > 0, share, np.inf).min(axis=1, keepdims=True)
    return np.where(share > 0, share, np.where(least <= 0.0001, least / 10**6, 0.0001))


formulas: dict[str, Formula] = {"jensenshannon": _jensenshannon, "hellinger": _hellinger, "psi": _psi}
