"""How good predictions are: what a model is fed, the loss of each row, and the metrics of a set of rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Vector = npt.NDArray[np.float64]


def model_input(frame: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """The features of `frame` as every model is fed them: floats, and texts with NaN for null."""
    columns = {
        name: frame[name].astype(object).where(frame[name].notna(), np.nan)
        if kind == "category"
        else frame[name].astype(np.float64)
        for name, kind in features.items()
    }
    return pd.DataFrame(columns, index=frame.index)


def labels(frame: pd.DataFrame, label: str) -> Vector:
    """The label of labelled rows: 1.0 or 0.0, shape (rows,)."""
    return np.asarray(frame[label].astype(bool), dtype=np.float64)


def predict(model: Any, frame: pd.DataFrame, features: Mapping[str, str]) -> Vector:
    """The probability that the label holds, shape (rows,)."""
    probabilities: Vector = model.predict_proba(model_input(frame, features))[:, 1]
    return probabilities


def losses(label: Vector, predicted: Vector) -> Vector:
    """The log loss of each row in nats, shape (rows,)."""
    bounded = np.clip(predicted, 1e-15, 1 - 1e-15)
    return np.asarray(-np.where(label == 1, np.log(bounded), np.log1p(-bounded)))


def metrics(label: Vector, predicted: Vector) -> dict[str, float]:
    """Log loss (nats), ROC AUC, average precision and Brier score; ranking metrics need both labels."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    found = {"log_loss": float(losses(label, predicted).mean()), "brier": float(np.mean((predicted - label) ** 2))}
    if 0 < label.mean() < 1:
        found["roc_auc"] = float(roc_auc_score(label, predicted))
        found["average_precision"] = float(average_precision_score(label, predicted))
    return found
