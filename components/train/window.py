"""The rows that a model learns from: labelled history, at most so many days of it."""

from datetime import datetime, timedelta

import pandas as pd

from tidegate.contract.contract import Contract
from tidegate.process.errors import InputError

LEAST_ROWS = 100
MOST_CLASSES = 200
OUTCOMES = {"binary": "both outcomes", "multiclass": "at least two classes", "regression": "numbers that differ"}


def training_rows(features: pd.DataFrame, promise: Contract, batch_start: str, window_days: int) -> pd.DataFrame:
    """Labelled history of the last `window_days` before the batch, in order; InputError when it teaches nothing."""
    since = datetime.fromisoformat(batch_start) - timedelta(days=window_days)
    history = features[(features["split"] == "history") & (features[promise.time] >= since)]
    rows, place = history[history[promise.label].notna()], f"history of {window_days} days before {batch_start}"
    if len(rows) < LEAST_ROWS:
        found, cure = f"{len(rows)}", _cure(features, promise, batch_start)
        if len(history) >= LEAST_ROWS:
            found, cure = f"{len(rows)} in {len(history):,} rows", "look at the label's SQL and at label_delay"
        raise InputError(place, f"at least {LEAST_ROWS} labelled rows", found, cure)
    _check_labels(rows[promise.label], promise, place)
    return rows.reset_index(drop=True)


def _cure(features: pd.DataFrame, promise: Contract, batch_start: str) -> str:
    """What to change so that there are enough rows: the window, if the data has older ones."""
    older = features[(features["split"] == "history") & features[promise.label].notna()][promise.time]
    if len(older) < LEAST_ROWS:
        return "move ingest.until forward, lower ingest.batch_days, or collect more"
    days = (datetime.fromisoformat(batch_start) - older.nlargest(LEAST_ROWS).min().to_pydatetime()).days + 1
    return f"set train.window_days to {days:,} or more"


def _check_labels(label: pd.Series, promise: Contract, place: str) -> None:
    values = label.nunique()
    if values < 2:
        raise InputError(f"{place}: {label.name}", OUTCOMES[promise.task], f"only {label.iloc[0]}", "look at its SQL")
    if promise.task == "multiclass" and values > MOST_CLASSES:
        cure = "select something coarser, or a number and the task regression"
        raise InputError(f"{place}: {label.name}", f"at most {MOST_CLASSES} classes", f"{values:,}", cure)


def lone_classes(rows: pd.DataFrame, promise: Contract) -> list[str]:
    """The classes of a single row, which can be learned from or held out and not both; none if they are too many."""
    times = rows[promise.label].value_counts()
    if promise.task != "multiclass" or (times > 1).sum() < 2:
        return []
    return sorted(str(name) for name in times.index[times == 1])


def without(rows: pd.DataFrame, promise: Contract, classes: list[str]) -> pd.DataFrame:
    """The rows of all other classes."""
    return rows[~rows[promise.label].isin(classes)] if classes else rows


def reference_sample(
    features: pd.DataFrame, rows: pd.DataFrame, time: str, columns: list[str], count: int, seed: int
) -> pd.DataFrame:
    """A sample of the events from the first training row to the last, in order: what later batches are compared with.

    Events without a label belong to it, as they belong to a batch. Where the label lacks may depend on the features:
    labelled rows alone would differ from all rows of a batch although nothing has changed. Events before the first and
    after the last training row are left out: the model learned nothing of that time.
    """
    events = features[(features["split"] == "history") & features[time].between(rows[time].min(), rows[time].max())]
    return events[columns].sample(min(count, len(events)), random_state=seed).sort_index().reset_index(drop=True)
