"""Swapped columns: a mistake of the source that must be corrected, not learned."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from tidegate.process.errors import InputError

FAR = 0.3  # a column that still looks like itself is in its place
MOST_RATIO = 0.25  # in the other's place it has to look that much more like the other than like itself
LEAST_ROWS = 50


def check_places(
    reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str], scores: Mapping[str, float]
) -> None:
    """InputError names the features that came in each other's place."""
    for first, second in swapped(reference, batch, kinds, scores):
        raise InputError(
            f"features {first} and {second} of the batch",
            "each to look as the champion learned it",
            "each in the other's place",
            "correct the source or features.sql; if it is meant, `gate.mode: always` learns it anew",
        )


def swapped(
    reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str], scores: Mapping[str, float]
) -> list[tuple[str, str]]:
    """Pairs of features of one kind of which each is far from its own reference and looks like the other's."""
    if min(len(reference), len(batch)) < LEAST_ROWS:
        return []
    moved = [name for name in kinds if scores.get(name, 0.0) > FAR]
    pairs = [(a, b) for a, b in combinations(moved, 2) if kinds[a] == kinds[b]]
    return [
        (a, b)
        for a, b in pairs
        if _distance(reference[b], batch[a], kinds[a]) < MOST_RATIO * _distance(reference[a], batch[a], kinds[a])
        and _distance(reference[a], batch[b], kinds[b]) < MOST_RATIO * _distance(reference[b], batch[b], kinds[b])
    ]


def _distance(reference: pd.Series, batch: pd.Series, kind: str) -> float:
    """How far two columns lie apart: in standard deviations of the reference, or 0 to 1 for categories."""
    if kind == "category":
        before, now = (side.dropna().value_counts(normalize=True) for side in (reference, batch))
        values = before.index.union(now.index)
        distance = jensenshannon(before.reindex(values, fill_value=0.0), now.reindex(values, fill_value=0.0), base=2)
        return float(np.nan_to_num(distance, nan=1.0))
    before, now = (side.astype(np.float64).replace([np.inf, -np.inf], np.nan).dropna() for side in (reference, batch))
    if before.empty or now.empty:
        return float("inf")
    return float(wasserstein_distance(before, now) / (before.std() or 1.0))
