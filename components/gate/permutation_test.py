"""A permutation test of drift: scores of the columns when whole blocks change sides between reference and batch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.components.gate.columns import categories, numbers
from tidegate.components.gate.counts import Matrix
from tidegate.components.gate.distances import METHODS, category_scores, number_scores
from tidegate.components.gate.permutations import Sides
from tidegate.scoring.scores import Vector

LEAST_RELABELLINGS = 800
TAIL = 0.99


@dataclass(frozen=True)
class Column:
    """Evidently's score of a column, and its critical value; None is what cannot be measured.

    `null_shift` is the batch's share of rows without a value minus the reference's; `new` are categories that only the
    batch has, the most frequent first.
    """

    score: float | None
    critical: float | None
    method: str
    null_shift: float
    new: tuple[str, ...] = ()

    @property
    def significant(self) -> bool:
        """Whether the score is beyond its critical value."""
        return self.score is not None and self.critical is not None and self.score > self.critical


@dataclass(frozen=True)
class PermutationTest:
    """What is found of each column, how many blocks a side had, and how many permutations there were (0: none)."""

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
    known: Collection[str] = (),
) -> PermutationTest:
    """Compare thinned sides whose blocks lie beside their rows; `chosen` names a method per kind, if not the default.

    Of all comparisons of sides that do not differ, at most the share `rate` has any column beyond its critical value.
    The rows where the column `label`, or one of `known`, is null do not count for it.
    """
    sides = Sides(reference, batch, reference_blocks, batch_blocks)
    keys = sides.keys(relabellings(rate), seed)
    columns: dict[str, Column] = {}
    drawn: dict[str, Vector] = {}
    for name, kind in kinds.items():
        method = chosen.get(kind, METHODS[kind][0])
        columns[name], scores = _column(sides, name, kind, method, keys, rate, name not in {label, *known})
        if len(scores) > 1:
            drawn[name] = scores
    if drawn:
        for name, limit in zip(drawn, _limits(np.stack(list(drawn.values()), axis=1), rate), strict=True):
            columns[name] = replace(columns[name], critical=float(limit))
    return PermutationTest(columns, sides.count - sides.moved, sides.moved, len(keys) if drawn else 0)


def relabellings(rate: float) -> int:
    """How many are drawn: enough to tell the rate from its neighbours."""
    return max(LEAST_RELABELLINGS, ceil(10 / rate))


def _column(
    sides: Sides, name: str, kind: str, method: str, keys: Matrix, rate: float, counts_nulls: bool
) -> tuple[Column, Vector]:
    """What is found of a column but for its critical value, and its score of each labelling, the true one first."""
    values, present, new = _values(sides.reference[name], sides.batch[name], kind)
    now = sides.true[sides.places]
    shares = [float(present[side].mean()) if side.any() else 0.0 for side in (~now, now)]
    column = Column(None, None, method, shares[0] - shares[1], new)
    counted = np.full(len(present), True) if counts_nulls else present
    if not (counted & now).any() or not (counted & ~now).any():
        return column, np.zeros(0)
    score = number_scores if kind == "number" else category_scores
    labellings = sides.labellings(keys, sides.places[counted], rate)
    scores = score(values[counted], sides.places[counted], labellings, method)
    return replace(column, score=float(scores[0])), scores


def _values(before: pd.Series, now: pd.Series, kind: str) -> tuple[Any, npt.NDArray[np.bool_], tuple[str, ...]]:
    """The values of both sides as the scores take them, which of them are known, and new categories."""
    if kind == "number":
        values = np.concatenate([numbers(before), numbers(now)])
        return values, np.isfinite(values), ()
    coded = categories(before, now)
    places = np.concatenate([coded.reference, coded.batch])
    return np.where(places < 0, len(coded.names), places), places >= 0, coded.new


def _limits(scores: Matrix, rate: float) -> Vector:
    """The critical value of each column at the family-wise rate, from the maximum over all columns: (columns,).

    Scores are standardised by their median and their tail when blocks change sides: some columns are far more skewed
    than others, and in deviations from the mean the worst of them would decide for all.
    """
    middle = np.median(scores, axis=0)
    tails = np.maximum(np.quantile(scores, TAIL, axis=0) - middle, scores.std(axis=0))
    top = np.sort(((scores - middle) / np.where(tails > 0, tails, 1.0)).max(axis=1))[::-1]
    limit = top[int(rate * len(top))]
    return np.asarray((middle + limit * tails) * (1 + 1e-9))  # a tie is not significant
