"""The rows that a model learns from: labelled history, at most so many days of it."""

from datetime import datetime, timedelta

import pandas as pd

from components.contract import Contract
from components.errors import InputError
from components.scoring import Predictions, answers

least_rows = 100
outcomes = {"binary": "both outcomes", "multiclass": "at least two classes", "regression": "numbers that differ"}


def training_rows(features: pd.DataFrame, promise: Contract, batch_start: str, window_days: int) -> pd.DataFrame:
    """Labelled history of the last `window_days` before the batch, in order; InputError when it teaches nothing."""
    time, label = promise.time, promise.label
    since = datetime.fromisoformat(batch_start) - timedelta(days=window_days)
    rows = features[(features["split"] == "history") & features[label].notna() & (features[time] >= since)]
    place = f"history of {window_days} days before {batch_start}"
    if len(rows) < least_rows:
        raise InputError(place, f"at least {least_rows} labelled rows", f"{len(rows)}", "move ingest.until forward")
    if rows[label].nunique() < 2:
        raise InputError(f"{place}: {label}", outcomes[promise.task], f"only {rows[label].iloc[0]}", "look at its SQL")
    return rows.reset_index(drop=True)


def reference_sample(
    rows: pd.DataFrame, predictions: Predictions, columns: list[str], count: int, seed: int
) -> pd.DataFrame:
    """A sample of the training rows with the model's `prediction`, in order: what later batches are compared with."""
    picked = rows[columns].assign(prediction=answers(predictions))
    return picked.sample(min(count, len(picked)), random_state=seed).sort_index().reset_index(drop=True)
