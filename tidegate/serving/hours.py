"""The numbers of an hour: what came in each feature, and what the champion answered; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
import pandas as pd

from tidegate.documents.traffic import FeatureHour, Hour, Numbers
from tidegate.tracking.champion import Champion

QUANTILES = (0.05, 0.5, 0.95)
CERTAIN = 0.6  # the least probability of an answer that is not called uncertain
MOST_CLASSES = 20
DIGITS = 6


@dataclass(frozen=True)
class Known:
    """The categories that the champion has learned, by feature."""

    categories: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, champion: Champion) -> Self:
        """Those of its encoders, and those of its reference sample."""
        kinds, sample = champion.record.features, champion.reference
        seen = {name: {*sample[name].dropna().astype(str)} for name, kind in kinds.items() if kind == "category"}
        for name, values in _encoded(champion.model):
            if name in seen:
                seen[name] |= values
        return cls({name: frozenset(values) for name, values in seen.items()})


def _encoded(model: Any) -> list[tuple[str, set[str]]]:
    """The categories of each column of the encoders of a pipeline; none of another model."""
    steps = getattr(model, "named_steps", {})
    columns = []
    for _, part, names in getattr(steps.get("encode"), "transformers_", ()):
        encoder = part[-1] if hasattr(part, "steps") else part
        for name, values in zip(names, getattr(encoder, "categories_", ()), strict=False):
            columns.append((str(name), {value for value in values if isinstance(value, str)}))
    return columns


def hour(
    start: datetime, rows: int, frame: pd.DataFrame, features: Mapping[str, str], known: Known, task: str
) -> Hour:
    """The numbers of sampled rows of an hour that has so many `rows`."""
    return Hour(
        start=start.isoformat(),
        rows=rows,
        features={name: _feature(frame[name], kind, known.categories.get(name)) for name, kind in features.items()},
        prediction=None if task == "multiclass" else numbers(frame["prediction"]),
        classes=_classes(frame["prediction"], task),
        uncertain=_uncertain(frame, task),
    )


def _feature(column: pd.Series, kind: str, known: frozenset[str] | None) -> FeatureHour:
    if kind == "number":
        finite = column.astype(np.float64).replace([np.inf, -np.inf], np.nan)
        return FeatureHour(_share(finite.isna()), None, numbers(finite))
    unseen = None if known is None else _share(column.notna() & ~column.isin(known))
    return FeatureHour(_share(column.isna()), unseen)


def numbers(column: pd.Series) -> Numbers | None:
    """The mean and the quantiles of the numbers that there are."""
    values = column.dropna().to_numpy(np.float64)
    if not len(values):
        return None
    return Numbers(float(values.mean()), *map(float, np.quantile(values, QUANTILES)))


def _classes(answered: pd.Series, task: str) -> dict[str, float]:
    if task == "regression":
        return {}
    if task == "binary":
        return {"true": _share(answered >= 0.5)}
    shares = answered.value_counts(normalize=True).head(MOST_CLASSES)
    return {str(name): round(float(share), DIGITS) for name, share in shares.items()}


def _uncertain(frame: pd.DataFrame, task: str) -> float | None:
    if task == "regression":
        return None
    if task == "binary":
        return _share((frame["prediction"] < CERTAIN) & (frame["prediction"] > 1 - CERTAIN))
    top = frame["probabilities"].map(lambda pairs: max((share for _, share in pairs), default=0.0))
    return _share(top < CERTAIN)


def _share(rows: pd.Series) -> float:
    return round(float(rows.mean()), DIGITS) if len(rows) else 0.0
