"""Columns as they are compared: numbers that are finite or missing, categories as places in a list of names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.components.gate.plain_names import plain_names
from tidegate.scoring.scores import WIDEST, Vector

Places = npt.NDArray[np.int64]
MISSING, OTHERS = "(no value)", "(all others)"
MOST_CATEGORIES = 200  # the rarer ones of both sides together are one category: it bounds memory and noise


@dataclass(frozen=True)
class Categories:
    """The place in `names` of each row of reference and batch, -1 if it has no value; `new`: only in batch."""

    reference: Places
    batch: Places
    names: tuple[str, ...]
    new: tuple[str, ...]


def numbers(column: pd.Series) -> Vector:
    """Numbers within ±1e30, as models are fed them; NaN for what is null or infinite."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(np.clip(np.where(np.isfinite(values), values, np.nan), -WIDEST, WIDEST) + 0.0)


def categories(reference: pd.Series, batch: pd.Series) -> Categories:
    """Equal values (1, 1.0 and True) are one category; null and infinite ones are in none."""
    places, values = pd.factorize(_objects(reference, batch))
    names, places = _sorted(_names(values), places.astype(np.int64))
    cut = len(reference)
    counts = np.bincount(places[places >= 0], minlength=len(names))
    before = np.bincount(places[:cut][places[:cut] >= 0], minlength=len(names))
    new = [int(place) for place in np.argsort(-counts, kind="stable") if counts[place] and not before[place]]
    fresh = tuple(names[place] for place in new)
    names, places = _folded(names, places, counts)
    return Categories(places[:cut], places[cut:], tuple(names), fresh)


def presented(
    reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str], label: str = "label"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both sides as `compare` sees them, for Evidently: its scores of these frames are those of the comparison."""
    sides: tuple[dict[str, object], dict[str, object]] = ({}, {})
    for name, kind in kinds.items():
        if kind == "number":
            pair = [numbers(frame[name]) for frame in (reference, batch)]
        else:
            coded = categories(reference[name], batch[name])
            texts = plain_names(coded.names)
            by_place = np.array([*map(texts.get, coded.names), np.nan if name == label else MISSING], dtype=object)
            pair = [by_place[places] for places in (coded.reference, coded.batch)]
        sides[0][name], sides[1][name] = pair
    return pd.DataFrame(sides[0], index=reference.index), pd.DataFrame(sides[1], index=batch.index)


def _objects(reference: pd.Series, batch: pd.Series) -> npt.NDArray[Any]:
    values = np.concatenate([side.astype(object).to_numpy(dtype=object) for side in (reference, batch)])
    infinite = np.fromiter((isinstance(value, float) and np.isinf(value) for value in values), bool, len(values))
    values[pd.isna(values) | infinite] = None
    return values


def _names(values: npt.NDArray[Any]) -> list[str]:
    """A text per value, each another: what only looks alike (1 and "1") is told with its type."""
    texts = [str(value) for value in values]
    ambiguous = pd.Series([MISSING, OTHERS, *texts]).duplicated(keep=False).to_numpy()[2:]
    return [
        f"{text} ({type(value).__name__})" if twice else text
        for text, value, twice in zip(texts, values, ambiguous, strict=True)
    ]


def _sorted(names: list[str], places: Places) -> tuple[list[str], Places]:
    """In order of the names, so that the order of the rows is no matter."""
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.append(np.argsort(order), -1).astype(np.int64)  # -1, which is a missing value, stays the last
    return [names[place] for place in order], rank[places]


def _folded(names: list[str], places: Places, counts: Places) -> tuple[list[str], Places]:
    """The most frequent categories of both sides together, and one for the rest."""
    if len(names) <= MOST_CATEGORIES:
        return names, places
    frequent = np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])
    moved = np.full(len(names) + 1, len(frequent), dtype=np.int64)
    moved[frequent] = np.arange(len(frequent))
    moved[-1] = -1
    return [*(names[place] for place in frequent), OTHERS], moved[places]
