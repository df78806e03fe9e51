"""Evidently's snapshot of what was compared: the same rows and methods, the critical values as its thresholds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tidegate.components.gate.columns import presented
from tidegate.components.gate.distances import METHODS
from tidegate.components.gate.plain_names import plain_names

BINS = 10  # of Evidently's pictures
DEFAULT_THRESHOLD = 0.1  # Evidently's own, where too few blocks give a critical value


def snapshot(
    reference: pd.DataFrame,
    batch: pd.DataFrame,
    kinds: Mapping[str, str],
    chosen: Mapping[str, str] | None = None,
    limits: Mapping[str, float | None] | None = None,
    label: str = "label",
) -> Any:
    """Evidently's snapshot; a column has drifted when its score is beyond its limit, the critical value."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    sides = presented(reference, batch, kinds, label)
    drawn = {name: kind for name, kind in kinds.items() if all(_drawn(side[name].dropna(), kind) for side in sides)}
    texts = plain_names(drawn)
    names = {kind: [texts[name] for name, value in drawn.items() if value == kind] for kind in METHODS}
    definition = DataDefinition(numerical_columns=names["number"], categorical_columns=names["category"])
    before, now = (Dataset.from_pandas(side[list(drawn)].rename(columns=texts), definition) for side in sides)
    own = {kind: (chosen or {}).get(kind, all_of[0]) for kind, all_of in METHODS.items()}
    preset = DataDriftPreset(
        columns=[texts[name] for name in drawn],
        num_method=own["number"],
        cat_method=_ordered(own["category"]),
        per_column_threshold={texts[name]: (limits or {}).get(name) or DEFAULT_THRESHOLD for name in drawn},
    )
    # A column that does not vary has no correlations.
    with np.errstate(divide="ignore", invalid="ignore"), _drawn_once():
        return Report([preset]).run(now, before)


@contextmanager
def _drawn_once() -> Iterator[None]:
    """Let Evidently draw a column for the preset's table alone.

    The drift score of a column draws another picture, which no page shows: a third of the time of the report.
    """
    from evidently.metrics.column_statistics import ValueDriftCalculation

    own = ValueDriftCalculation._render
    ValueDriftCalculation._render = lambda *_: []
    try:
        yield
    finally:
        ValueDriftCalculation._render = own


def _drawn(values: pd.Series, kind: str) -> bool:
    """Whether Evidently can draw a column; it fails where there is no value, or where huge ones are next to equal."""
    if values.empty or kind == "category":
        return not values.empty
    try:
        np.histogram_bin_edges(values, BINS)
    except ValueError:
        return False
    return True


def _ordered(method: str) -> str:
    """Register a method that puts categories in order, and give its name.

    Evidently sums over a set, whose order differs between processes if it holds texts; numbers keep theirs.
    """
    from evidently.legacy.calculations import stattests

    own = getattr(stattests, f"{method}_stat_test")

    def distance(reference: pd.Series, batch: pd.Series, kind: Any, threshold: float) -> tuple[float, bool]:
        values = sorted(pd.concat([reference, batch]).dropna().unique(), key=str)
        places = {value: place for place, value in enumerate(values)}
        score, _ = own.func(reference.map(places), batch.map(places), kind, threshold)
        return score, score > threshold

    stattests.register_stattest(replace(own, name=f"{method}_ordered"), distance)
    return f"{method}_ordered"
