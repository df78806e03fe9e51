"""Slice by slice: the loss of every model, and the challenger's difference with an interval for all slices at once."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.components.evaluate.paired_difference import CONFIDENCE, resampled
from tidegate.documents.verdict import Interval, ModelName, SliceResult
from tidegate.scoring.scores import Vector, mean
from tidegate.scoring.slices import Rows

LEAST_BLOCKS = 5  # fewer say nothing about how much a slice varies


class SliceDifference(NamedTuple):
    """The mean difference from the rival on a slice; the interval is None where there are too few blocks to tell."""

    mean: float
    interval: Interval | None


def slice_differences(
    parts: Mapping[str, Rows], gap: Vector, blocks: pd.Series, seed: int, weight: Vector | None = None
) -> dict[str, SliceDifference]:
    """The mean gap of each slice and its interval; none where a slice lies in fewer than `LEAST_BLOCKS` blocks.

    Adjusted for the number of slices: each bound holds for all of them at once in 95 % of the worlds, by the largest
    deviation of any slice, counted in its own standard error, over the resamples.
    """
    differences = {name: SliceDifference(_mean(gap, part, weight), None) for name, part in parts.items()}
    measured = [name for name, part in parts.items() if blocks[part].nunique() >= LEAST_BLOCKS]
    if not measured:
        return differences
    size = np.ones(len(gap)) if weight is None else weight
    means = np.stack([_means(parts[name], gap, size, blocks, seed) for name in measured], axis=1)
    centre, error = np.array([differences[name].mean for name in measured]), means.std(axis=0)
    above, below = _furthest(means - centre, error), _furthest(centre - means, error)
    for name, lower, upper in zip(measured, centre - above * error, centre + below * error, strict=True):
        differences[name] = SliceDifference(differences[name].mean, (float(lower), float(upper)))
    return differences


def slice_results(
    parts: Mapping[str, Rows],
    losses: Mapping[ModelName, Vector],
    differences: Mapping[str, SliceDifference],
    margin: float,
    weight: Vector | None = None,
) -> tuple[SliceResult, ...]:
    """The mean loss of each model on each slice, with the difference, and whether the challenger passes there."""
    return tuple(
        SliceResult(
            slice=name,
            rows=int(part.sum()),
            **{model: _mean(loss, part, weight) for model, loss in losses.items()},
            difference=differences[name].mean,
            interval=(interval := differences[name].interval),
            passed=interval is None or interval[0] <= max(margin, 0.0),
        )
        for name, part in parts.items()
    )


def _mean(values: Vector, part: Rows, weight: Vector | None) -> float:
    return mean(values[part], None if weight is None else weight[part])


def _means(part: Rows, gap: Vector, size: Vector, blocks: pd.Series, seed: int) -> Vector:
    """The mean gap of a slice in each resample; where none of its blocks was drawn, that of the others."""
    sums = resampled(np.stack([gap * size * part, size * part], axis=1), blocks, seed)
    drawn = sums[:, 1] > 0
    ratios = sums[drawn, 0] / sums[drawn, 1]
    means = np.full(len(sums), ratios.mean())
    means[drawn] = ratios
    return means


def _furthest(deviations: npt.NDArray[np.float64], error: Vector) -> float:
    """How many standard errors the furthest of the slices is out, in all but 5 % of the resamples."""
    scaled = deviations / np.where(error > 0, error, 1.0)
    return float(np.quantile(scaled.max(axis=1), CONFIDENCE))
