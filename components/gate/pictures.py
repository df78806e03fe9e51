"""The columns that matter as numbers: what the champion learned from beside what came; the page draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tidegate.documents.signal import DriftDetail, Signal
from tidegate.pages.axes import Axis
from tidegate.scoring.scores import Vector

LEAST_PICTURES, MOST_PICTURES = 6, 9
MOST_BINS, MOST_VALUES, MOST_LETTERS = 24, 8, 40
TAIL = 0.005
RANKS = {"opens": 0, "named": 1, "ignored": 1, "holds": 1}
COLUMNS = {"predictions": "prediction", "label": "label"}


@dataclass(frozen=True)
class Histogram:
    """The bins of both sides, as shares of the highest one, which is `top` of the rows; `missing` of each side."""

    missing: tuple[float, float]
    reference: list[float]
    batch: list[float]
    ticks: list[dict[str, Any]]
    top: float


@dataclass(frozen=True)
class Bar:
    """A value, and its share of the rows of each side."""

    text: str
    reference: float
    batch: float
    new: bool
    """Whether only the batch has it."""


@dataclass(frozen=True)
class Bars:
    """The most frequent values of both sides; `missing` of each side."""

    missing: tuple[float, float]
    rows: list[Bar]


Picture = Histogram | Bars


def pictures(
    reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str], signals: Sequence[Signal]
) -> dict[str, Picture]:
    """By name of the signal, how the values of a column that matters lie on both sides, as shares of its rows.

    `kinds` says of each column of the frames whether it is a `number` or a `category`.
    """
    picked = [(signal, column_of(signal)) for signal in leading_signals(signals)]
    return {
        signal.name: _picture(_rows(reference[column], signal), _rows(batch[column], signal), kinds[column])
        for signal, column in picked
        if column in kinds
    }


def _rows(column: pd.Series, signal: Signal) -> pd.Series:
    """The rows that a signal speaks of: of a label only those that have one, for a young row has none yet."""
    return column.dropna() if signal.signal == "label" else column


def column_of(signal: Signal) -> str:
    """The column of the frames that a signal speaks of."""
    return signal.column or COLUMNS.get(signal.signal, "")


def leading_signals(signals: Sequence[Signal]) -> list[Signal]:
    """The compared columns that a reviewer looks at: what opens the gate, what is named, then the nearest."""
    compared = [signal for signal in signals if isinstance(signal.detail, DriftDetail) and signal.state != "off"]
    ranked = sorted(compared, key=lambda signal: (RANKS.get(signal.state, 2), -_nearness(signal)))
    loud = sum(signal.state in RANKS for signal in ranked)
    return ranked[: min(max(loud, LEAST_PICTURES), MOST_PICTURES)]


def _nearness(signal: Signal) -> float:
    """How near the effect is to its limit: 1 is at it."""
    value = signal.value or 0.0
    return value / signal.limit if signal.limit else value


def _picture(reference: pd.Series, batch: pd.Series, kind: str) -> Picture:
    before, now = _present(reference, kind), _present(batch, kind)
    missing = 1 - len(before) / max(len(reference), 1), 1 - len(now) / max(len(batch), 1)
    different = pd.concat([before, now]).nunique()
    if kind == "number" and different > MOST_VALUES:
        return _histogram(np.asarray(before, float), np.asarray(now, float), missing)
    return Bars(missing, _bars(before, now, missing, kind))


def _present(column: pd.Series, kind: str) -> pd.Series:
    if kind == "number":
        column = pd.to_numeric(column, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
    return column.dropna()


def _histogram(reference: Vector, batch: Vector, missing: tuple[float, float]) -> Histogram:
    """Shares per bin; what lies in the outermost half percent is counted in the outermost bin."""
    whole = np.concatenate([reference, batch])
    low, high = np.quantile(whole, [TAIL, 1 - TAIL])
    if low == high:
        low, high = whole.min(), whole.max()
    axis = Axis(float(low), float(high))
    shares = [_shares(side, axis, 1 - gone) for side, gone in zip((reference, batch), missing, strict=True)]
    top = max(map(max, shares)) or 1.0
    heights = [[round(share / top, 3) for share in side] for side in shares]
    return Histogram(missing, heights[0], heights[1], axis.ticks(), top)


def _shares(values: Vector, axis: Axis, present: float) -> list[float]:
    if not len(values):
        return [0.0] * MOST_BINS
    counts, _ = np.histogram(np.clip(values, axis.low, axis.high), MOST_BINS, (axis.low, axis.high))
    return [float(count) / len(values) * present for count in counts]


def _bars(reference: pd.Series, batch: pd.Series, missing: tuple[float, float], kind: str) -> list[Bar]:
    """The most frequent values with their shares on both sides, the rest as one; numbers in their order."""
    sides = [
        side.map(_text).value_counts(normalize=True) * (1 - gone)
        for side, gone in zip((reference, batch), missing, strict=True)
    ]
    table = pd.concat(sides, axis=1, keys=["reference", "batch"]).astype(float).fillna(0.0)
    table = table.loc[table.max(axis=1).sort_values(ascending=False, kind="stable").index]
    frequent = table.iloc[:MOST_VALUES]
    if kind == "number":
        frequent = frequent.loc[sorted(frequent.index, key=lambda text: float(text.replace("−", "-")))]
    rows = [_bar(str(text), *map(float, row)) for text, row in zip(frequent.index, frequent.to_numpy(), strict=True)]
    if (left_out := len(table) - len(frequent)) > 0:
        remainder = table.iloc[MOST_VALUES:].sum()
        rows.append(_bar(f"{left_out:,} others", float(remainder["reference"]), float(remainder["batch"])))
    return rows


def _bar(text: str, reference: float, batch: float) -> Bar:
    return Bar(text, round(reference, 4), round(batch, 4), reference == 0 < batch)


def _text(value: object) -> str:
    text = f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
