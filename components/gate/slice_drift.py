"""The drift of the champion's predictions, slice by slice: one airport may go wrong while the whole looks fine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tidegate.components.gate.column_drift import NAMES
from tidegate.components.gate.permutation_test import Column, compare
from tidegate.components.gate.thinning import Thinned
from tidegate.documents.signal import Signal, SliceDrift, SliceDriftDetail, State
from tidegate.scoring.slices import Rows, slices

MOST_SLICES = 50


@dataclass(frozen=True)
class Slice:
    """The rows of a slice in the sample of the batch, and how far predictions moved in it."""

    rows: int
    column: Column


def large_slices(
    reference: pd.DataFrame, batch: pd.DataFrame, columns: Sequence[str], least_rows: int
) -> dict[str, int]:
    """The rows in the batch of the slices that have enough of them on both sides; the largest, if they are many."""
    large, cut = {}, len(reference)
    for name, part in _parts(reference, batch, columns).items():
        before, now = int(part[:cut].sum()), int(part[cut:].sum())
        if min(before, now) >= least_rows:
            large[name] = now
    return dict(sorted(large.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_SLICES])


def slice_drift(
    rows: Thinned,
    columns: Sequence[str],
    large: Mapping[str, int],
    kind: str,
    chosen: Mapping[str, str],
    rate: float,
    seed: int,
) -> dict[str, Slice]:
    """Compare the predictions of each of these slices, as all columns are compared.

    One critical value holds for the largest score of all slices, under the same permutations of whole blocks. Slices
    share their days and move together: this costs less power than Holm's method, which knows nothing of that.
    """
    parts, cut = _parts(rows.reference, rows.batch, columns), len(rows.reference)
    predictions = pd.concat([rows.reference["prediction"], rows.batch["prediction"]], ignore_index=True)
    masked = pd.DataFrame({name: predictions.where(pd.Series(parts[name])) for name in large if name in parts})
    kinds = {str(name): kind for name in masked.columns}
    blocks = rows.reference_blocks, rows.batch_blocks
    tested = compare(masked[:cut], masked[cut:], *blocks, kinds, chosen, rate, seed, known=kinds).columns
    return {name: Slice(large[name], column) for name, column in tested.items()}


def _parts(reference: pd.DataFrame, batch: pd.DataFrame, columns: Sequence[str]) -> dict[str, Rows]:
    """The rows of each slice, those of the reference first; equal values have one name on both sides."""
    names = list(columns)
    return slices(pd.concat([reference[names], batch[names]], ignore_index=True), names, 1)


def drift_of_slices(drifts: Mapping[str, Slice], limit: float) -> Signal:
    """Whether the predictions of any slice drifted beyond chance and beyond the limit."""
    ranked = sorted(drifts.items(), key=lambda pair: (-_nearness(pair[1].column, limit), pair[0]))
    measured = [SliceDrift(name, part.rows, part.column.score, part.column.critical) for name, part in ranked]
    opening = [name for name, part in ranked if part.column.significant and (part.column.score or 0.0) > limit]
    known = any(part.column.critical is not None for part in drifts.values())
    state: State = "opens" if opening else "shut" if known else "cannot tell"
    detail = SliceDriftDetail(ranked[0][1].column.method, tuple(measured))
    reason = _reason(measured, len(opening))
    return Signal(NAMES["slices"], "slices", state, reason, measured[0].score, limit, None, detail)


def _nearness(column: Column, limit: float) -> float:
    """How far a slice is on the way to opening the gate: the smaller of size and certainty, 1 is at the limit."""
    if column.score is None or column.critical is None:
        return -1.0
    size, certain = (column.score / bound if bound else 2.0 * (column.score > 0) for bound in (limit, column.critical))
    return min(size, certain)


def _reason(ranked: Sequence[SliceDrift], opening: int) -> str:
    first = ranked[0]
    if first.score is None:
        return "the champion's predictions cannot be compared in any slice, for want of rows"
    moved = f"the champion's predictions for {first.slice}"
    if first.chance is None:
        return f"{moved} moved by {first.score:.3f}, of which too few blocks of time say what chance alone does"
    words = "drifted by {:.3f}, beyond" if first.score > first.chance else "moved by {:.3f}, within"
    others = f", and so did those of {opening - 1} more" if opening > 1 else ""
    chance = f"what chance does in any of {len(ranked)} slices ({first.chance:.3f})"
    return f"{moved} {words.format(first.score)} {chance}{others}"
