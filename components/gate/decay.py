"""Decay: how much more the champion loses on the batch than on the rows it was promoted for, with its uncertainty."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tidegate.scoring.scores import Vector, mean

RESAMPLES = 2000


@dataclass(frozen=True)
class Growth:
    """The loss on the batch minus that of the verdict, and one-sided bounds; None is what cannot be told."""

    mean: float | None
    lower: float | None
    upper: float | None


def growth(
    losses: Vector,
    blocks: pd.Series,
    weight: Vector | None,
    verdict_loss: float,
    verdict_error: float,
    rate: float,
    seed: int,
) -> Growth:
    """The true growth lies below the lower bound at most at the rate; whole blocks are resampled with replacement.

    `verdict_error` is the standard error of the verdict's own loss. Few blocks say little of how much they differ: the
    resampled means are spread as Student's distribution of so many blocks is wider than the normal one.
    """
    size = np.ones(len(losses)) if weight is None else weight
    place, distinct = pd.factorize(blocks.to_numpy(), sort=True)
    count = len(distinct)
    if count == 0:
        return Growth(None, None, None)
    increase = mean(losses, weight) - verdict_loss
    if count == 1:
        return Growth(increase, None, None)
    sums, sizes = np.bincount(place, losses * size, count), np.bincount(place, size, count)
    random = np.random.default_rng(seed)
    picked = random.integers(0, count, (RESAMPLES, count))
    apart = sums[picked].sum(axis=1) / sizes[picked].sum(axis=1) - mean(losses, weight)
    wide = np.sqrt(count / random.chisquare(count - 1, RESAMPLES))
    noise = random.normal(0.0, verdict_error, RESAMPLES)
    low, high = np.quantile(increase + apart * wide + noise, [rate, 1 - rate])
    return Growth(increase, float(low), float(high))
