"""Rows of many labellings at once: how many of the batch and of the reference have each value.

A labelling says of each block whether it belongs to the batch. Rows are counted in whole numbers, so that the counts
are the same for any number of threads.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tidegate.components.gate.columns import Places
from tidegate.scoring.scores import Vector

Matrix = npt.NDArray[np.float64]  # (labellings, values)
Labellings = npt.NDArray[np.bool_]  # (labellings, blocks); the first row is the true one
Formula = Callable[[Matrix, Matrix], Vector]  # rows of the batch and of the reference with each value -> scores
Counter = Callable[[Labellings], Matrix]

MOST_CELLS = 200_000  # of the matrices that are held at once
DENSE_CELLS = 2_000_000  # cells of a table of blocks and values that is still multiplied faster than rows are counted


def by_value(
    places: Places, blocks: Places, labellings: Labellings, formula: Formula, cumulative: bool = False
) -> Vector:
    """The formula of the rows with each value, or up to each; no more labellings at once than a cache is meant for."""
    if not len(places):
        return np.zeros(len(labellings))
    total = np.bincount(places).astype(np.float64)
    total = np.cumsum(total) if cumulative else total
    count = (_cumulating if cumulative else _counting)(places, blocks, labellings.shape[1], len(total))
    step = max(1, MOST_CELLS // max(len(total), labellings.shape[1]))
    scores = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, len(labellings), step):
            batch = count(labellings[start : start + step])
            scores.append(formula(batch, total - batch))
    return np.concatenate(scores)


def _counting(places: Places, blocks: Places, count: int, size: int) -> Counter:
    """How many rows of the chosen blocks have each value: by a product if the table is small, row by row otherwise."""
    if count * size <= DENSE_CELLS:
        return _multiplied(_table(places, blocks, count, size))
    return lambda chosen: np.stack(
        [np.bincount(places[picked[blocks]], minlength=size) for picked in chosen], dtype=np.float64
    )


def _cumulating(places: Places, blocks: Places, count: int, size: int) -> Counter:
    """How many rows of the chosen blocks have each value or a smaller one."""
    if count * size <= DENSE_CELLS:
        return _multiplied(_table(places, blocks, count, size).cumsum(axis=1))
    ordered, last = blocks[np.argsort(places, kind="stable")], np.cumsum(np.bincount(places)) - 1

    def counted(chosen: Labellings) -> Matrix:
        below = np.cumsum(chosen.take(ordered, axis=1), axis=1, dtype=np.int32)
        return below.take(last, axis=1).astype(np.float64)

    return counted


def _table(places: Places, blocks: Places, count: int, size: int) -> Places:
    return np.bincount(blocks * size + places, minlength=count * size).reshape(count, size)


def _multiplied(table: Places) -> Counter:
    whole = table.astype(np.float32)  # exact up to 16 million rows, in whatever order they are added
    return lambda chosen: (chosen.astype(np.float32) @ whole).astype(np.float64)
