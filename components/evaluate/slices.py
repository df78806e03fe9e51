"""Slice by slice: the loss of every model, and the challenger's difference with an interval for all slices at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.components.evaluate.paired_difference import confidence, resampled
from tidegate.scoring.scores import Vector, mean

least_blocks = 5  # fewer say nothing about how much a slice varies
Rows = npt.NDArray[np.bool_]


def slices(rows: pd.DataFrame, columns: Sequence[str], least_rows: int) -> dict[str, Rows]:
    """The rows, shape (rows,), of each value of the slicing columns that has at least `least_rows` of them."""
    return {name: part for column in columns for name, part in _values(rows[column]) if part.sum() >= least_rows}


def slice_losses(
    parts: Mapping[str, Rows], loss: Mapping[str, Vector], weight: Vector | None = None
) -> list[dict[str, Any]]:
    """The mean loss of each model on each slice."""
    return [
        {
            "slice": name,
            "rows": int(part.sum()),
            **{model: _mean(found, part, weight) for model, found in loss.items()},
        }
        for name, part in parts.items()
    ]


def slice_differences(
    parts: Mapping[str, Rows], gap: Vector, blocks: pd.Series, seed: int, weight: Vector | None = None
) -> dict[str, tuple[float, tuple[float, float] | None]]:
    """The mean gap of each slice and its interval; none where a slice lies in fewer than `least_blocks` blocks.

    Adjusted for the number of slices: each bound holds for all of them at once in 95 % of the worlds, by the largest
    deviation of any slice, counted in its own standard error, over the resamples.
    """
    found: dict[str, tuple[float, tuple[float, float] | None]] = {
        name: (_mean(gap, part, weight), None) for name, part in parts.items()
    }
    known = [name for name, part in parts.items() if blocks[part].nunique() >= least_blocks]
    if not known:
        return found
    size = np.ones(len(gap)) if weight is None else weight
    means = np.stack([_means(parts[name], gap, size, blocks, seed) for name in known], axis=1)
    centre, error = np.array([found[name][0] for name in known]), means.std(axis=0)
    above, below = _furthest(means - centre, error), _furthest(centre - means, error)
    bounds = zip(centre - above * error, centre + below * error, strict=True)
    edges = [(float(low), float(high)) for low, high in bounds]
    return found | {name: (found[name][0], edge) for name, edge in zip(known, edges, strict=True)}


def told(
    losses: Mapping[str, Any], found: Mapping[str, tuple[float, tuple[float, float] | None]], margin: float
) -> dict[str, Any]:
    """The losses of a slice with its difference and interval, and whether the challenger holds there."""
    number, interval = found[losses["slice"]]
    passed = interval is None or interval[0] <= max(margin, 0.0)
    return {**losses, "difference": number, "interval": interval and list(interval), "passed": passed}


def _values(column: pd.Series) -> Iterator[tuple[str, Rows]]:
    for value, part in column.groupby(column, dropna=False, observed=True):
        name = "missing" if pd.isna(value) else str(value)
        yield f"{column.name} {name}", np.asarray(column.index.isin(part.index))


def _mean(values: Vector, part: Rows, weight: Vector | None) -> float:
    return mean(values[part], None if weight is None else weight[part])


def _means(part: Rows, gap: Vector, size: Vector, blocks: pd.Series, seed: int) -> Vector:
    """The mean gap of a slice in each resample; where none of its blocks was drawn, that of the others."""
    sums = resampled(np.stack([gap * size * part, size * part], axis=1), blocks, seed)
    drawn = sums[:, 1] > 0
    found = sums[drawn, 0] / sums[drawn, 1]
    whole = np.full(len(sums), found.mean())
    whole[drawn] = found
    return whole


def _furthest(deviations: npt.NDArray[np.float64], error: Vector) -> float:
    """How many standard errors the furthest of the slices is out, in all but 5 % of the resamples."""
    scaled = deviations / np.where(error > 0, error, 1.0)
    return float(np.quantile(scaled.max(axis=1), confidence))
