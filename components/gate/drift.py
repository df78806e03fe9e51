"""Drift of single columns between a reference and a batch, measured by Evidently."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

methods = {"number": "wasserstein", "category": "jensenshannon"}
method_names = {"number": "Wasserstein distance (normed)", "category": "Jensen-Shannon distance"}
bins = 10  # of Evidently's pictures
column_threshold = 0.1  # what Evidently's own report marks as drifted; the decision weighs the score itself


def comparable(reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str]) -> dict[str, str]:
    """The columns that have values on both sides, which Evidently can draw.

    It drops nulls and infinities without a word, and fails where all numbers are huge (beyond 1e14) and next to equal.
    """
    return {
        name: kind
        for name, kind in kinds.items()
        if all(_drawn(_values(frame[name], kind).dropna(), kind) for frame in (reference, batch))
    }


def _drawn(values: pd.Series, kind: str) -> bool:
    if values.empty or kind == "category":
        return not values.empty
    try:
        np.histogram_bin_edges(values, bins)
    except ValueError:
        return False
    return True


def null_shifts(reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str]) -> dict[str, float]:
    """How much the share of rows without a (finite) value changed, per column, from 0 to 1."""
    return {
        name: float(abs(_values(reference[name], kind).isna().mean() - _values(batch[name], kind).isna().mean()))
        for name, kind in kinds.items()
    }


def snapshot(
    reference: pd.DataFrame, batch: pd.DataFrame, kinds: Mapping[str, str], chosen: Mapping[str, str] = methods
) -> Any:
    """Evidently's snapshot of `comparable` columns; `chosen` names a method per kind, if not the default."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    own = {**methods, **chosen}
    ordered = _ordered(own["category"])
    names = {kind: [name for name, found in kinds.items() if found == kind] for kind in methods}
    definition = DataDefinition(numerical_columns=names["number"], categorical_columns=names["category"])
    sides = [
        Dataset.from_pandas(
            pd.DataFrame({name: _values(frame[name], kind) for name, kind in kinds.items()}), definition
        )
        for frame in (batch, reference)
    ]
    preset = DataDriftPreset(
        columns=list(kinds),
        num_method=own["number"],
        cat_method=ordered,
        num_threshold=column_threshold,
        cat_threshold=column_threshold,
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # correlations with a column that does not vary
        return Report([preset]).run(*sides)


def scores(found: Any) -> dict[str, float]:
    """Evidently's drift score per column: 0 is no drift, larger is more."""
    metrics = json.loads(found.json())["metrics"]
    return {metric["config"]["column"]: float(metric["value"]) for metric in metrics if "column" in metric["config"]}


def _ordered(method: str) -> str:
    """Register a method that puts categories in order, and give its name.

    Evidently sums over a set, whose order differs between processes if it holds texts; numbers keep theirs.
    """
    from evidently.legacy.calculations import stattests

    own = getattr(stattests, f"{method}_stat_test")

    def distance(reference: pd.Series, batch: pd.Series, kind: Any, threshold: float) -> tuple[float, bool]:
        values = sorted(pd.concat([reference, batch]).dropna().unique(), key=str)
        places = {value: place for place, value in enumerate(values)}
        found: tuple[float, bool] = own.func(reference.map(places), batch.map(places), kind, threshold)
        return found

    stattests.register_stattest(replace(own, name=f"{method}_ordered"), distance)
    return f"{method}_ordered"


def _values(column: pd.Series, kind: str) -> pd.Series:
    if kind == "category":
        return column.astype(object).where(column.notna(), np.nan)
    return column.astype(float).replace([np.inf, -np.inf], np.nan)
