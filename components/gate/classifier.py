"""A ridge classifier that tells the batch from the reference, fitted anew for every labelling of whole blocks.

A labelling changes only the right-hand side of the normal equations, and that only through the sums of whole blocks:
hundreds of exact fits cost little more than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate.components.gate.columns import Places
from tidegate.components.gate.counts import Labellings, Matrix
from tidegate.scoring.scores import Vector

FOLDS = 5
RIDGE = 0.3  # of the deviation of a term
STEPS = 256  # into which scores are cut: rows are counted, and the last bits of a machine decide nothing
DIGITS = 12
MOST_SCORES = 2_000_000  # that are held at once
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fold:
    """Rows that are held out, and the coefficients that each labelling has from the others: (terms, labellings)."""

    rows: Rows
    coefficients: Matrix

    def first(self) -> "Fold":
        """The classifier of the true labelling alone."""
        return Fold(self.rows, self.coefficients[:, :1])


def fitted(matrix: Matrix, blocks: Places, labellings: Labellings, random: np.random.Generator) -> list[Fold]:
    """Fit a classifier per fold and labelling to terms of mean 0, shape (rows, terms).

    Whole blocks are dealt to folds, and whichever side they are on: the true labelling is treated as all others are.
    """
    fold_of = random.permutation(labellings.shape[1]) % FOLDS
    held_out = [fold_of[blocks] == fold for fold in range(FOLDS)]
    inner = [matrix[rows].T @ matrix[rows] for rows in held_out]
    whole, (sizes, sums) = np.sum(inner, axis=0), _of_blocks(matrix, blocks, labellings.shape[1])
    folds = []
    for fold, rows in enumerate(held_out):
        learned = fold_of != fold
        count = sizes[learned].sum()
        batch = labellings[:, learned].astype(np.float64)
        target = batch - (batch @ sizes[learned] / count)[:, None]
        gram = whole - inner[fold] + RIDGE * count * np.eye(matrix.shape[1])
        folds.append(Fold(rows, np.linalg.solve(gram, sums[learned].T @ target.T)))
    return folds


def _of_blocks(matrix: Matrix, blocks: Places, count: int) -> tuple[Vector, Matrix]:
    """The rows of each block, and their sum."""
    order = np.argsort(blocks, kind="stable")
    starts = np.searchsorted(blocks[order], np.arange(count))
    return np.bincount(blocks, minlength=count).astype(np.float64), np.add.reduceat(matrix[order], starts, axis=0)


def areas(matrix: Matrix, blocks: Places, labellings: Labellings, folds: Sequence[Fold]) -> Vector:
    """The area under the ROC curve of each labelling, of rows that its classifier has not learned from."""
    step = max(1, MOST_SCORES // len(matrix))
    parts = []
    for start in range(0, len(labellings), step):
        part = slice(start, start + step)
        scores = np.empty((len(matrix), len(labellings[part])))
        for fold in folds:
            scores[fold.rows] = matrix[fold.rows] @ fold.coefficients[:, part]
        parts.append(_areas(scores, labellings[part].T[blocks]))
    return np.asarray(np.round(np.concatenate(parts), DIGITS), dtype=np.float64)


def _areas(scores: Matrix, batch: npt.NDArray[np.bool_]) -> Vector:
    """Of scores in steps, whose ties count as half: (rows, labellings) each."""
    low, width = scores.min(axis=0), np.ptp(scores, axis=0)
    places = ((scores - low) * ((STEPS - 1e-6) / np.where(width > 0, width, 1.0))).astype(np.int64)
    count = scores.shape[1]
    places += np.arange(count) * STEPS
    now, every = (np.bincount(chosen, minlength=count * STEPS) for chosen in (places[batch], places.ravel()))
    now, before = now.reshape(count, STEPS), (every - now).reshape(count, STEPS)
    below = before.cumsum(axis=1) - before / 2
    return np.asarray((now * below).sum(axis=1) / (now.sum(axis=1) * before.sum(axis=1)))
