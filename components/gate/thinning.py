"""Thinning: blocks that hold as many rows on both sides, so that they could have changed places."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

LEAST_PART = 4  # one in four rows is of the side of fewer blocks


@dataclass(frozen=True)
class Thinned:
    """Rows of reference and batch in their own order, the block of each, and how many rows a block may keep."""

    reference: pd.DataFrame
    batch: pd.DataFrame
    reference_blocks: pd.Series
    batch_blocks: pd.Series
    rows_per_block: int


def thinned(
    reference: pd.DataFrame,
    batch: pd.DataFrame,
    reference_blocks: pd.Series,
    batch_blocks: pd.Series,
    sample_rows: int,
    seed: int,
) -> Thinned:
    """Keep at most as many rows of a block as the typical block of either side has, and `sample_rows` of a side.

    Blocks of less than half as many are left out: they could not change places with the others unnoticed.
    Blocks lie beside rows: the same length and order. A side of more blocks than `sample_rows` keeps as many of them.
    """
    places = [pd.factorize(blocks.to_numpy(), sort=True)[0] for blocks in (reference_blocks, batch_blocks)]
    sizes = [np.bincount(place) for place in places]
    most = max(1, min((_most(size, sample_rows) for size in sizes if len(size)), default=1))
    seeds = np.random.SeedSequence(seed).spawn(2)
    positions = [
        _positions(place, most, sample_rows, np.random.default_rng(own))
        for place, own in zip(places, seeds, strict=True)
    ]
    return Thinned(
        reference.iloc[positions[0]],
        batch.iloc[positions[1]],
        reference_blocks.iloc[positions[0]],
        batch_blocks.iloc[positions[1]],
        most,
    )


def smaller(rows: Thinned, count: int, random: np.random.Generator) -> Thinned:
    """At most `count` rows of both sides together: whole blocks, and of each the same number of rows.

    The side of fewer blocks gets a quarter of the rows, if it has as many. Blocks are chosen whatever is in them, and
    could still change places.
    """
    sides = [(rows.reference, rows.reference_blocks), (rows.batch, rows.batch_blocks)]
    places = [pd.factorize(blocks.to_numpy(), sort=True)[0] for _, blocks in sides]
    counts = [int(place.max(initial=-1)) + 1 for place in places]
    fewer = min(counts)
    most = min(rows.rows_per_block, max(1, count // max(1, min(sum(counts), LEAST_PART * fewer))))
    kept = min(fewer, count // 2 // most)
    limits = (kept, count // most - kept) if counts[0] == fewer else (count // most - kept, kept)
    parts: list[tuple[pd.DataFrame, pd.Series]] = []
    for (frame, blocks), place, limit in zip(sides, places, limits, strict=True):
        positions = _of_blocks(_positions(place, most, len(place), random), place, limit, random)
        parts.append((frame.iloc[positions], blocks.iloc[positions]))
    return Thinned(parts[0][0], parts[1][0], parts[0][1], parts[1][1], most)


def _most(sizes: npt.NDArray[np.int64], rows: int) -> int:
    """The rows of the median block, or as many as keep the whole side within `rows`."""
    low, high = 0, int(np.median(sizes))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= rows else (low, middle - 1)
    return low


def _positions(
    places: npt.NDArray[np.int64], most: int, rows: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Positions of the rows to keep, in order: the first `most` of each block when all are shuffled."""
    order = random.permutation(len(places))
    rank = pd.Series(places[order]).groupby(places[order]).cumcount().to_numpy()
    full = np.bincount(places) * 2 >= most
    positions = order[(rank < most) & full[places[order]]]
    if len(positions) > rows:  # even one row per block is too much: whole blocks are left out
        positions = _of_blocks(positions, places, rows, random)
    return np.sort(positions)


def _of_blocks(
    positions: npt.NDArray[np.int64], places: npt.NDArray[np.int64], count: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Those that are in so many blocks, at most, which are drawn."""
    chosen = random.permutation(int(places.max(initial=-1)) + 1)[:count]
    return positions[np.isin(places[positions], chosen)]
