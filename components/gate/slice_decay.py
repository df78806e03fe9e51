"""The decay of the champion slice by slice: its loss on a slice of the batch against that slice of its verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tidegate.components.gate.column_drift import NAMES
from tidegate.components.gate.decay import growth
from tidegate.documents.signal import Signal, SliceDecay, SliceDecayDetail, State
from tidegate.documents.verdict import SliceResult, VerdictSummary
from tidegate.scoring.scores import Vector, mean
from tidegate.scoring.slices import slices
from tidegate.scoring.tasks import Task


@dataclass(frozen=True)
class Losses:
    """The champion's loss of each labelled row of the batch, its weight and its block."""

    values: Vector
    weight: Vector | None
    blocks: pd.Series


def slice_decays(
    rows: pd.DataFrame,
    columns: Sequence[str],
    losses: Losses,
    verdict: VerdictSummary,
    promised: Mapping[str, SliceResult],
    least_rows: int,
    rate: float,
    seed: int,
) -> list[SliceDecay]:
    """The growth of the loss of each slice that has enough labelled rows, in the verdict as well.

    The bounds of each are at the rate divided by the number of slices: the gate asks whether any slice decayed, and
    to that question Holm's method gives the same answer. The error of a slice's loss in the verdict is taken to be
    that of all rows, times the root of how many more these are.
    """
    large = slices(rows.reset_index(drop=True), columns, least_rows)
    parts = {name: part for name, part in large.items() if name in promised}
    decays = []
    for name, part in parts.items():
        weight = None if losses.weight is None else losses.weight[part]
        before = promised[name]
        error = verdict.loss_error * float(np.sqrt(verdict.rows / before.rows))
        values, blocks = losses.values[part], losses.blocks[part]
        grown = growth(values, blocks, weight, before.challenger, error, rate / len(parts), seed)
        bounds = None if grown.lower is None or grown.upper is None else (grown.lower, grown.upper)
        decays.append(SliceDecay(name, int(part.sum()), mean(values, weight), before.challenger, bounds))
    return decays


def decay_of_slices(decays: Sequence[SliceDecay], limit: float, task: Task) -> Signal:
    """Whether the champion's loss grew beyond chance and beyond the limit in any slice."""
    ranked = tuple(sorted(decays, key=lambda part: (-_nearness(part, limit), part.slice)))
    opening = [part for part in ranked if part.interval and part.interval[0] > 0 and _grown(part) > limit]
    known = any(part.interval for part in ranked)
    state: State = "opens" if opening else "shut" if known else "cannot tell"
    name, reason, detail = NAMES["slice_decay"], _reason(ranked, len(opening), task), SliceDecayDetail(ranked)
    return Signal(name, "slice_decay", state, reason, _grown(ranked[0]), limit, None, detail)


def _grown(part: SliceDecay) -> float:
    return part.loss - part.verdict_loss


def _nearness(part: SliceDecay, limit: float) -> float:
    """How far a slice is on the way to opening the gate: the smaller of size and certainty, 1 is at the limit."""
    if part.interval is None:
        return -np.inf
    grown, low = _grown(part), part.interval[0]
    size = grown / limit if limit else float(grown > 0)
    return min(size, grown / (grown - low) if low < grown else 1.0)


def _reason(ranked: Sequence[SliceDecay], opening: int, task: Task) -> str:
    first = ranked[0]
    now, then = task.text(first.loss, 3), task.text(first.verdict_loss, 3)
    words = f"the champion's {task.words} for {first.slice} is {now} on this batch, {then} on the rows of its verdict"
    if first.interval is None:
        return f"{words}, and too few blocks of time say what chance alone does"
    grown, low, high = (task.text(value, 4, "+") for value in (_grown(first), *first.interval))
    others = f", and it grew for {opening - 1} more" if opening > 1 else ""
    return f"{words}: {grown} [{low}, {high}], for {len(ranked)} slices at once{others}"
