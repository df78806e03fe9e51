"""Drift of columns together: whether a classifier that sees pairs of them tells the batch from the reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tidegate.components.gate.classifier import areas, fitted
from tidegate.components.gate.column_drift import NAMES
from tidegate.components.gate.interactions import terms
from tidegate.components.gate.permutation_test import relabellings
from tidegate.components.gate.permutations import Sides
from tidegate.components.gate.thinning import Thinned, smaller
from tidegate.documents.signal import ColumnShare, Signal, State, TogetherDetail

MOST_ROWS = 4_000
OWN_SEED = 1  # beside those that are drawn for the comparison of columns
MOST_COLUMNS, MOST_NAMED = 10, 3


@dataclass(frozen=True)
class JointDrift:
    """How well a classifier tells the sides apart (1: perfectly, 0.5: not at all), and the critical value.

    `shares` are its permutation importances, as shares of their sum.
    """

    area: float
    critical: float | None
    shares: Mapping[str, float]

    @property
    def significant(self) -> bool:
        """Whether the sides are told apart better than their critical value."""
        return self.critical is not None and self.area > self.critical


def joint_drift(
    rows: Thinned, kinds: Mapping[str, str], shares: Mapping[str, float], rate: float, seed: int
) -> JointDrift | None:
    """Whether rows are told apart by what several columns do together; None where no column tells anything.

    Of all comparisons of sides that do not differ, at most the share `rate` is beyond the critical value.

    `kinds` are those of the features, `shares` how much the champion depends on each.
    """
    random = np.random.default_rng([seed, OWN_SEED])
    part = smaller(rows, MOST_ROWS, random)
    if part.reference.empty or part.batch.empty:
        return None
    seen = terms(part.reference, part.batch, kinds, shares)
    sides = Sides(part.reference, part.batch, part.reference_blocks, part.batch_blocks)
    matrix = seen.matrix()
    if not matrix.shape[1]:
        return None
    labellings = sides.labellings(sides.keys(relabellings(rate), seed), sides.places, rate)
    folds = fitted(matrix, sides.places, labellings, random)
    scores = areas(matrix, sides.places, labellings, folds)
    critical = float(np.sort(scores)[::-1][int(rate * len(scores))]) if len(scores) > 1 else None
    own, order = [fold.first() for fold in folds], random.permutation(len(matrix))
    lost = {
        name: max(0.0, float(scores[0] - areas(seen.shuffled(name, order), sides.places, labellings[:1], own)[0]))
        for name in seen.bases
    }
    whole = sum(lost.values()) or 1.0
    return JointDrift(float(scores[0]), critical, {name: loss / whole for name, loss in lost.items()})


def together(drift: JointDrift, importance: Mapping[str, float], limit: float) -> Signal:
    """How well the sides are told apart (0 to 1), weighted by what the champion thinks of the columns that do so."""
    columns = [
        ColumnShare(name, share, importance.get(name, 0.0))
        for name, share in sorted(drift.shares.items(), key=lambda pair: (-pair[1], pair[0]))
        if share > 0
    ]
    weight = sum(column.share * column.importance for column in columns)
    effect = max(0.0, 2 * drift.area - 1) * weight
    detail = TogetherDetail(drift.area, drift.critical, tuple(columns[:MOST_COLUMNS]))
    state: State = "opens" if drift.significant and effect > limit else "shut"
    state = "cannot tell" if drift.critical is None else state
    reason = f"{_told_apart(drift)}{_by(columns)}: effect {effect:.3f}"
    return Signal(NAMES["together"], "together", state, reason, effect, limit, None, detail)


def _told_apart(drift: JointDrift) -> str:
    apart = (
        f"a classifier of several columns tells this batch from what the champion learned from (AUC {drift.area:.3f}"
    )
    if drift.critical is None:
        return f"{apart}, and too few blocks of time say what chance alone does)"
    return f"{apart}, {'beyond' if drift.significant else 'within'} what chance does, {drift.critical:.3f})"


def _by(columns: Sequence[ColumnShare]) -> str:
    """The columns that it does so by, which carry most of it."""
    named = [f"{column.column} ({column.share:.0%})" for column in columns[:MOST_NAMED]]
    carried = sum(column.share * column.importance for column in columns)
    return f" by {', '.join(named)}, which the champion weighs {carried:.0%}" if named else ""
