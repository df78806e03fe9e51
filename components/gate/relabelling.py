"""What chance alone does: scores of the columns when whole blocks change sides between reference and batch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, comb

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.gate.columns import Places, categories, numbers
from components.gate.distances import Labellings, Matrix, category_scores, methods, number_scores
from components.scoring import Vector

least_relabellings = 800
least_blocks = 2


@dataclass(frozen=True)
class Column:
    """Evidently's score of a column, and the score that chance stays below; None is what cannot be told.

    `null_shift` is the batch's share of rows without a value minus the reference's; `new` are categories that only the
    batch has, the most frequent first.
    """

    score: float | None
    chance: float | None
    method: str
    null_shift: float
    new: tuple[str, ...] = ()

    @property
    def beyond(self) -> bool:
        """Whether this is more than chance."""
        return self.score is not None and self.chance is not None and self.score > self.chance


@dataclass(frozen=True)
class Comparison:
    """What is found of each column, how many blocks a side had, and how often they were relabelled (0: not at all)."""

    columns: Mapping[str, Column]
    reference_blocks: int
    batch_blocks: int
    relabellings: int


def compare(
    reference: pd.DataFrame,
    batch: pd.DataFrame,
    reference_blocks: pd.Series,
    batch_blocks: pd.Series,
    kinds: Mapping[str, str],
    chosen: Mapping[str, str],
    rate: float,
    seed: int,
    label: str = "label",
) -> Comparison:
    """Compare thinned sides whose blocks lie beside their rows; `chosen` names a method per kind, if not the default.

    Of all comparisons of sides that do not differ, at most the share `rate` has any column beyond its `chance`.
    The rows where the column `label` is null do not count for it.
    """
    sides = _Sides(reference, batch, reference_blocks, batch_blocks)
    keys = sides.keys(relabellings(rate), seed)
    found: dict[str, Column] = {}
    drawn: dict[str, Vector] = {}
    for name, kind in kinds.items():
        method = chosen.get(kind, methods[kind][0])
        found[name], scores = _column(sides, name, kind, method, keys, rate, counts_nulls=name != label)
        if len(scores) > 1:
            drawn[name] = scores
    if drawn:
        for name, limit in zip(drawn, _limits(np.stack(list(drawn.values()), axis=1), rate), strict=True):
            found[name] = replace(found[name], chance=float(limit))
    return Comparison(found, sides.count - sides.moved, sides.moved, len(keys) if drawn else 0)


def relabellings(rate: float) -> int:
    """How many are drawn: enough to tell the rate from its neighbours."""
    return max(least_relabellings, ceil(10 / rate))


class _Sides:
    """Both frames under each other, and the block of each row: those of the reference first."""

    def __init__(
        self, reference: pd.DataFrame, batch: pd.DataFrame, reference_blocks: pd.Series, batch_blocks: pd.Series
    ) -> None:
        before, now = (
            pd.factorize(blocks.to_numpy(), sort=True)[0].astype(np.int64)
            for blocks in (reference_blocks, batch_blocks)
        )
        self.reference, self.batch = reference, batch
        first = int(before.max(initial=-1)) + 1
        self.places: Places = np.concatenate([before, now + first])
        self.moved = int(now.max(initial=-1)) + 1
        self.count = first + self.moved
        self.true = np.arange(self.count) >= first

    def keys(self, count: int, seed: int) -> Matrix:
        """An order of the blocks per relabelling: the batch's come first. The true labelling is one of them."""
        keys = np.random.default_rng(seed).random((count, self.count))
        keys[0] = ~self.true
        return keys

    def labellings(self, keys: Matrix, present: npt.NDArray[np.bool_], rate: float) -> Labellings:
        """Which blocks each relabelling puts into the batch, always as many; only the true one if they tell nothing."""
        moved = int((self.true & present).sum())
        stay = int(present.sum()) - moved
        if min(moved, stay) < least_blocks or comb(moved + stay, moved) * rate < 2:
            return self.true[None]
        order = np.argsort(np.where(present, keys, 2.0), axis=1, kind="stable")
        found = np.zeros(keys.shape, dtype=bool)
        np.put_along_axis(found, order[:, :moved], True, axis=1)
        return found


def _column(
    sides: _Sides, name: str, kind: str, method: str, keys: Matrix, rate: float, counts_nulls: bool
) -> tuple[Column, Vector]:
    """What is found of a column but for chance, and its score of each labelling, the true one first."""
    before, now = sides.reference[name], sides.batch[name]
    new: tuple[str, ...] = ()
    if kind == "number":
        values = np.concatenate([numbers(before), numbers(now)])
        known = np.isfinite(values)
    else:
        found = categories(before, now, counts_nulls)
        values, new = np.concatenate([found.reference, found.batch]), found.new
        known = ~pd.isna(pd.concat([before, now]).to_numpy())
    shift = known[: len(before)].mean() - known[len(before) :].mean() if len(before) and len(now) else 0.0
    kept = np.ones(len(known), dtype=bool) if counts_nulls else known
    blocks = sides.places[kept]
    present = np.bincount(blocks, minlength=sides.count) > 0
    if (not counts_nulls and not (present & sides.true).any()) or not (present & ~sides.true).any():
        return Column(None, None, method, float(shift), new), np.zeros(0)
    score = number_scores if kind == "number" else category_scores
    scores = score(values[kept], blocks, sides.labellings(keys, present, rate), method)
    return Column(float(scores[0]), None, method, float(shift), new), scores


def _limits(scores: Matrix, rate: float) -> Vector:
    """The score of each column that the relabellings pass, by any column, at most at the rate: (columns,).

    Scores of columns are made alike by the mean and the deviation that they have when blocks change sides.
    """
    mean, deviation = scores.mean(axis=0), scores.std(axis=0)
    alike = (scores - mean) / np.where(deviation > 0, deviation, 1.0)
    top = np.sort(alike.max(axis=1))[::-1]
    return np.asarray((mean + top[int(rate * len(top))] * deviation) * (1 + 1e-9))  # a tie is not beyond
