"""Paired comparison of two models on the same rows: the difference of their losses with its uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from components.scoring import Vector, mean

resamples = 2000
confidence = 0.95


@dataclass(frozen=True)
class Difference:
    """Mean loss of one model minus that of another (below 0 the first is better) and one-sided 95 % bounds."""

    mean: float
    lower: float
    upper: float


def block_of(times: pd.Series, duration: str) -> pd.Series:
    """The block each row belongs to: rows of one block depend on each other. Durations such as `1d`, `6h`."""
    units = {"m": "min", "h": "h", "d": "D", "w": "W"}
    length, monday = pd.Timedelta(f"{duration[:-1]}{units[duration[-1]]}"), pd.Timestamp("1970-01-05")
    return monday + (times - monday) // length * length


def difference(
    first: Vector, second: Vector, blocks: pd.Series, seed: int, weight: Vector | None = None
) -> Difference:
    """Compare the weighted losses of the same rows, shape (rows,); whole blocks are resampled with replacement."""
    gap = first - second
    size = np.ones(len(gap)) if weight is None else weight
    gaps = pd.DataFrame({"gap": gap * size, "size": size, "block": blocks.to_numpy()})
    per_block = gaps.groupby("block")[["gap", "size"]].sum().to_numpy(np.float64)
    picked = np.random.default_rng(seed).integers(0, len(per_block), (resamples, len(per_block)))
    sums = per_block[picked].sum(axis=1)
    lower, upper = np.quantile(sums[:, 0] / sums[:, 1], [1 - confidence, confidence])
    return Difference(mean(gap, weight), float(lower), float(upper))


def slice_losses(
    rows: pd.DataFrame,
    columns: Sequence[str],
    loss: Mapping[str, Vector],
    least_rows: int,
    weight: Vector | None = None,
) -> list[dict[str, Any]]:
    """The mean loss of each model on each value of the slicing columns that has at least `least_rows` rows."""
    found = pd.DataFrame(dict(loss), index=rows.index)
    size = None if weight is None else pd.Series(weight, index=rows.index)
    return [
        {"slice": f"{column} {value}", "rows": len(part), **_means(part, None if size is None else size[part.index])}
        for column in columns
        for value, part in found.groupby(rows[column])
        if len(part) >= least_rows
    ]


def _means(part: pd.DataFrame, size: pd.Series | None) -> dict[str, float]:
    weight = None if size is None else size.to_numpy(np.float64)
    return {str(name): mean(part[name].to_numpy(np.float64), weight) for name in part}
