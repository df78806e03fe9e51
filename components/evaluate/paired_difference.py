"""Paired comparison of two models on the same rows: the difference of their losses with its uncertainty."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.scoring.scores import Vector, mean

RESAMPLES = 2000
CONFIDENCE = 0.95
# Normal quantiles: one-sided 95 % of the interval, and 80 % for how often a difference is to be shown.
SIGNIFICANT = 1.645
TO_SHOW = SIGNIFICANT + 0.842


@dataclass(frozen=True)
class Difference:
    """Mean loss of one model minus that of another (below 0 the first is better), one-sided 95 % bounds, its error."""

    mean: float
    lower: float
    upper: float
    error: float = 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Both bounds."""
        return self.lower, self.upper

    @property
    def smallest(self) -> float:
        """The smallest difference that these rows show four times out of five."""
        return TO_SHOW * self.error


def resampled(columns: npt.NDArray[np.float64], blocks: pd.Series, seed: int) -> npt.NDArray[np.float64]:
    """Sums over the rows of columns of shape (rows, n) when whole blocks are drawn with replacement: (resamples, n).

    The same seed draws the same blocks, whatever the columns.
    """
    place, distinct = pd.factorize(blocks.to_numpy(), sort=True)
    picked = np.random.default_rng(seed).integers(0, len(distinct), (RESAMPLES, len(distinct)))
    sums = (np.bincount(place, column, len(distinct)) for column in columns.T)
    # Column by column, and without matrix products: their last bit depends on the number of threads.
    return np.stack([column[picked].sum(axis=1) for column in sums], axis=1)


def difference(
    first: Vector, second: Vector, blocks: pd.Series, seed: int, weight: Vector | None = None
) -> Difference:
    """Compare the weighted losses of the same rows, shape (rows,); whole blocks are resampled with replacement."""
    gap = first - second
    size = np.ones(len(gap)) if weight is None else weight
    sums = resampled(np.stack([gap * size, size], axis=1), blocks, seed)
    means = sums[:, 0] / sums[:, 1]
    lower, upper = np.quantile(means, [1 - CONFIDENCE, CONFIDENCE])
    return Difference(mean(gap, weight), float(lower), float(upper), float(means.std()))
