"""Rows as a linear classifier has to see them, so that it can tell what several columns do together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from tidegate.components.gate.columns import categories, numbers
from tidegate.components.gate.counts import Matrix
from tidegate.scoring.scores import Vector

MOST_COLUMNS = 24  # those that the champion depends on most
MOST_LEVELS = 4  # the most frequent categories of a column; the others are one
MOST_TERMS = 300  # single columns first, then pairs of columns that the champion depends on
SMALLEST = 1e-9
Order = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """Bases of the columns, each of shape (rows, functions); the pairs whose products are terms as well."""

    bases: Mapping[str, Matrix]
    pairs: Sequence[tuple[str, str]]
    means: Vector

    def matrix(self) -> Matrix:
        """Every term of every row, of mean 0: (rows, terms)."""
        return _terms(self.bases, self.pairs) - self.means

    def shuffled(self, column: str, order: Order) -> Matrix:
        """The same where the rows have exchanged the values of one column."""
        return _terms({**self.bases, column: self.bases[column][order]}, self.pairs) - self.means


def terms(
    reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str], shares: Mapping[str, float]
) -> Terms:
    """Functions of single columns, and products of two of them; which rows are the batch plays no part.

    `shares` say how much the champion depends on a column. Numbers enter as ranks and as their squares, so that no
    outlier decides; a missing value is a function of its own, and neither large nor small.
    """
    names = sorted(kinds, key=lambda name: (-shares.get(name, 0.0), name))[:MOST_COLUMNS]
    bases = {name: _basis(reference[name], batch[name], kinds[name]) for name in names}
    bases = {name: basis for name, basis in bases.items() if basis.shape[1]}
    room, pairs = MOST_TERMS - sum(basis.shape[1] for basis in bases.values()), []
    for first, second in _by_weight(list(bases), shares):
        room -= bases[first].shape[1] * bases[second].shape[1]
        if room < 0:
            break
        pairs.append((first, second))
    return Terms(bases, pairs, _terms(bases, pairs).mean(axis=0) if bases else np.zeros(0))


def _by_weight(names: Sequence[str], shares: Mapping[str, float]) -> list[tuple[str, str]]:
    pairs = combinations(names, 2)
    return sorted(pairs, key=lambda pair: -shares.get(pair[0], 0.0) * shares.get(pair[1], 0.0))


def _terms(bases: Mapping[str, Matrix], pairs: Sequence[tuple[str, str]]) -> Matrix:
    products = [
        (bases[first][:, :, None] * bases[second][:, None, :]).reshape(len(bases[first]), -1)
        for first, second in pairs
    ]
    rows = len(next(iter(bases.values()))) if bases else 0
    return np.concatenate([np.zeros((rows, 0)), *bases.values(), *products], axis=1)


def _basis(reference: pd.Series, batch: pd.Series, kind: str) -> Matrix:
    """Functions of one column, each of mean 0 and deviation 1: (rows, functions); none of a constant column."""
    columns = _of_numbers(reference, batch) if kind == "number" else _of_categories(reference, batch)
    stacked = np.stack(columns, axis=1)
    stacked -= stacked.mean(axis=0)
    deviations = stacked.std(axis=0)
    varying = deviations > SMALLEST
    return np.asarray(stacked[:, varying] / deviations[varying])


def _of_numbers(reference: pd.Series, batch: pd.Series) -> list[Vector]:
    values = np.concatenate([numbers(reference), numbers(batch)])
    present = np.isfinite(values)
    rank = np.zeros(len(values))
    rank[present] = 2 * (rankdata(values[present]) - 0.5) / max(1, present.sum()) - 1
    square = np.where(present, rank**2, (rank[present] ** 2).mean() if present.any() else 0.0)
    return [rank, square, (~present).astype(np.float64)]


def _of_categories(reference: pd.Series, batch: pd.Series) -> list[Vector]:
    coded = categories(reference, batch)
    places = np.concatenate([coded.reference, coded.batch]) + 1  # 0 is a missing value
    frequent = np.argsort(-np.bincount(places), kind="stable")[:MOST_LEVELS]
    return [(places == level).astype(np.float64) for level in frequent]
