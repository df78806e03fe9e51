"""The columns that matter as numbers: what the champion learned from beside what came; the page draws them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tidegate.pages.axes import Axis
from tidegate.scoring.scores import Vector

least_pictures, most_pictures = 6, 9
most_bins, most_values, most_letters = 24, 8, 40
tail = 0.005
ranks = {"opens": 0, "told": 1, "ignored": 1, "holds": 1}
columns = {"predictions": "prediction", "label": "label"}
Signal = Mapping[str, Any]
Picture = dict[str, Any]


def pictures(
    reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str], decision: Mapping[str, Any]
) -> dict[str, Picture]:
    """By name of the signal, how the values of a column that matters lie on both sides, as shares of all its rows.

    `kinds` says of each column of the frames whether it is a `number` or a `category`.
    """
    picked = [(signal["name"], column_of(signal)) for signal in mattering(decision["signals"])]
    return {
        name: _picture(reference[column], batch[column], kinds[column]) for name, column in picked if column in kinds
    }


def column_of(signal: Signal) -> str:
    """The column of the frames that a signal speaks of."""
    return str(signal["column"] or columns.get(signal["signal"], ""))


def mattering(signals: Sequence[Signal]) -> list[Signal]:
    """The compared columns that a reviewer looks at: what opens the gate, what is told, then the nearest."""
    compared = [signal for signal in signals if "score" in signal["detail"] and signal["state"] != "off"]
    ranked = sorted(compared, key=lambda signal: (ranks.get(signal["state"], 2), -_nearness(signal)))
    loud = sum(signal["state"] in ranks for signal in ranked)
    return ranked[: min(max(loud, least_pictures), most_pictures)]


def _nearness(signal: Signal) -> float:
    """How near the effect is to its limit: 1 is at it."""
    value, limit = signal["value"] or 0.0, signal["limit"]
    return float(value / limit) if limit else float(value)


def _picture(reference: pd.Series, batch: pd.Series, kind: str) -> Picture:
    before, now = _present(reference, kind), _present(batch, kind)
    missing = [1 - len(before) / max(len(reference), 1), 1 - len(now) / max(len(batch), 1)]
    different = pd.concat([before, now]).nunique()
    if kind == "number" and different > most_values:
        return {"missing": missing, **_histogram(np.asarray(before, float), np.asarray(now, float), missing)}
    return {"missing": missing, "shape": "bars", "rows": _bars(before, now, missing, kind)}


def _present(column: pd.Series, kind: str) -> pd.Series:
    if kind == "number":
        column = pd.to_numeric(column, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
    return column.dropna()


def _histogram(reference: Vector, batch: Vector, missing: Sequence[float]) -> Picture:
    """Shares per bin; what lies in the outermost half percent is counted in the outermost bin."""
    whole = np.concatenate([reference, batch])
    low, high = np.quantile(whole, [tail, 1 - tail])
    if low == high:
        low, high = whole.min(), whole.max()
    axis = Axis(float(low), float(high))
    shares = [_shares(side, axis, 1 - gone) for side, gone in zip((reference, batch), missing, strict=True)]
    top = max(map(max, shares)) or 1.0
    heights = [[round(share / top, 3) for share in side] for side in shares]
    return {"shape": "histogram", "reference": heights[0], "batch": heights[1], "ticks": axis.ticks(), "top": top}


def _shares(values: Vector, axis: Axis, present: float) -> list[float]:
    if not len(values):
        return [0.0] * most_bins
    counts, _ = np.histogram(np.clip(values, axis.low, axis.high), most_bins, (axis.low, axis.high))
    return [float(count) / len(values) * present for count in counts]


def _bars(reference: pd.Series, batch: pd.Series, missing: Sequence[float], kind: str) -> list[Picture]:
    """The most frequent values with their shares on both sides, the rest as one; numbers in their order."""
    sides = [
        side.map(_text).value_counts(normalize=True) * (1 - gone)
        for side, gone in zip((reference, batch), missing, strict=True)
    ]
    table = pd.concat(sides, axis=1, keys=["reference", "batch"]).astype(float).fillna(0.0)
    table = table.loc[table.max(axis=1).sort_values(ascending=False, kind="stable").index]
    shown = table.iloc[:most_values]
    if kind == "number":
        shown = shown.loc[sorted(shown.index, key=lambda text: float(text.replace("−", "-")))]
    rows = [_bar(str(text), *map(float, row)) for text, row in zip(shown.index, shown.to_numpy(), strict=True)]
    if (others := len(table) - len(shown)) > 0:
        rest = table.iloc[most_values:].sum()
        rows.append(_bar(f"{others:,} others", float(rest["reference"]), float(rest["batch"])))
    return rows


def _bar(text: str, reference: float, batch: float) -> Picture:
    return {"text": text, "reference": round(reference, 4), "batch": round(batch, 4), "new": reference == 0 < batch}


def _text(value: object) -> str:
    text = f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)
    return text if len(text) <= most_letters else text[: most_letters - 1] + "…"
