"""The input of models, their predictions, the loss of each row, and the metrics of a set of rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.process.errors import InputError
from tidegate.scoring.tasks import TASKS

Vector = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]  # 1.0 or 0.0 (binary), texts (multiclass), floats (regression)
Predictions = Vector | pd.DataFrame  # of multiclass: the probabilities, one column per class that the model knows
LARGEST = 1e150
WIDEST = 1e30  # trees compute in single precision, also after scaling, and refuse larger numbers
LEAST_PROBABILITY = 1e-15  # keeps the loss of a wrong prediction with probability 1 finite
TOLERANCE = 1e-12  # of predictions by two processes: the last bit is the machine's


def model_input(frame: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """The features of `frame` as the input of a model.

    Numbers are floats within ±1e30 or NaN, categories are texts or NaN, words are texts that may be empty.
    """
    return pd.DataFrame({name: _fed(frame[name], kind) for name, kind in features.items()}, index=frame.index)


def _fed(column: pd.Series, kind: str) -> pd.Series:
    if kind == "category":
        return column.astype(object).where(column.notna(), np.nan)
    if kind == "words":
        return column.astype(object).where(column.notna(), "").astype(str)
    return column.astype(np.float64).replace([np.inf, -np.inf], np.nan).clip(-WIDEST, WIDEST)


def labels(frame: pd.DataFrame, label: str, task: str) -> Labels:
    """The label of labelled rows, shape (rows,): 1.0 or 0.0, the class as a text, or the number."""
    if task == "multiclass":
        return np.asarray(frame[label].astype(str).tolist(), dtype=str)
    return np.asarray(frame[label].astype(bool) if task == "binary" else frame[label], dtype=np.float64)


def weights(frame: pd.DataFrame, weight: str | None) -> Vector | None:
    """The weight of each row, shape (rows,); None without a weight column, InputError unless all are above 0."""
    if weight is None:
        return None
    values = np.asarray(frame[weight], dtype=np.float64)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        raise InputError(f"features.sql: {weight}", "weights above 0", f"{int(bad.sum()):,} others", "correct its SQL")
    return values


def predict(model: Any, frame: pd.DataFrame, features: Mapping[str, str], task: str) -> Predictions:
    """Predictions: probabilities of the label or numbers, shape (rows,); for multiclass a column per class.

    Numbers are clipped to ±1e150, so that the loss of a model with an exponential stays finite.
    InputError if a model returns NaN for a row.
    """
    ask = model.predict if task == "regression" else model.predict_proba
    return checked(model, ask(model_input(frame, features)), task, frame.index)


def checked(model: Any, output: Any, task: str, index: pd.Index | None = None) -> Predictions:
    """What a model's own method returned, as predictions; errors as `predict`."""
    predicted = np.asarray(output, dtype=np.float64)
    if unknown := int(np.isnan(predicted).any(axis=tuple(range(1, predicted.ndim))).sum()):
        thing = f"predictions of {type(model[-1] if hasattr(model, 'steps') else model).__name__}"
        cure = "look for constant or very large features, or choose another estimator"
        raise InputError(thing, "a number for each row", f"none for {unknown:,} of {len(predicted):,}", cure)
    if task == "multiclass":
        return pd.DataFrame(predicted, columns=pd.Index(model.classes_, dtype=object), index=index)
    return np.asarray(predicted[:, 1]) if task == "binary" else np.clip(predicted, -LARGEST, LARGEST)


def answers(predicted: Predictions) -> npt.NDArray[Any]:
    """One value per row, shape (rows,): for multiclass the most probable class, otherwise the prediction."""
    if isinstance(predicted, pd.DataFrame):
        top: npt.NDArray[Any] = predicted.columns.to_numpy(object)[predicted.to_numpy().argmax(axis=1)]
        return top
    return np.asarray(predicted)


def differing(expected: npt.NDArray[Any], actual: npt.NDArray[Any]) -> int:
    """In how many rows two processes predict otherwise; of numbers twelve digits count."""
    if len(expected) != len(actual) or not len(expected):
        return max(len(expected), len(actual))
    here, there = expected.reshape(len(expected), -1), actual.reshape(len(actual), -1)
    if here.shape != there.shape:
        return len(here)
    if here.dtype == object or there.dtype == object:
        return int((here.astype(str) != there.astype(str)).any(axis=1).sum())
    alike = np.abs(here - there) <= TOLERANCE * np.maximum(1.0, np.abs(here))
    return int((~alike).any(axis=1).sum())


def least_known(rows: int) -> float:
    """The probability of a class that is absent from `rows` training rows: 1 / (rows + 1).

    This is additive smoothing with one pseudo-count (Laplace's rule of succession) for all new classes together. With
    1e-15 instead, a single row of a new class would cost every model 34.5 nats and dominate the mean loss.
    """
    return 1 / (rows + 1)


def losses(label: Labels, predicted: Predictions, task: str, least: float = LEAST_PROBABILITY) -> Vector:
    """The loss of each row, shape (rows,): log loss in nats, for regression the squared error.

    For multiclass, probabilities are at least `least`, also for classes that are unknown to the model. Use
    `least_known` of the challenger's training rows for all models that are compared.
    """
    if task == "regression":
        return np.asarray((label - predicted) ** 2, dtype=np.float64)
    if isinstance(predicted, pd.DataFrame):
        place = predicted.columns.get_indexer(pd.Index(label, dtype=object))
        probabilities = np.where(place >= 0, predicted.to_numpy()[np.arange(len(label)), place], 0.0)
        return np.asarray(-np.log(np.clip(probabilities, least, 1.0)))
    bounded = np.clip(predicted, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-np.where(label == 1, np.log(bounded), np.log1p(-bounded)))


def mean(values: Vector, weight: Vector | None) -> float:
    """The weighted mean of `values`."""
    return float(np.average(values, weights=weight))


def metrics(
    label: Labels,
    predicted: Predictions,
    task: str,
    weight: Vector | None = None,
    least: float = LEAST_PROBABILITY,
) -> dict[str, float]:
    """The weighted metrics of a task (see `TASKS`), without ranking metrics and R² if all labels are equal."""
    own = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[task]
    loss = mean(losses(label, predicted, task, least), weight)
    return {TASKS[task].loss: loss, **own(label, predicted, weight)}


def one_of(predicted: pd.DataFrame, name: str) -> Vector:
    """The probability of one class, shape (rows,); 0 if the model does not know it."""
    return np.asarray(predicted[name] if name in predicted else np.zeros(len(predicted)), dtype=np.float64)


def _binary(label: Labels, predicted: Any, weight: Vector | None) -> dict[str, float]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    values = {"brier": mean((predicted - label) ** 2, weight)}
    if 0 < label.mean() < 1:
        values["roc_auc"] = float(roc_auc_score(label, predicted, sample_weight=weight))
        values["average_precision"] = float(average_precision_score(label, predicted, sample_weight=weight))
    return values


def _multiclass(label: Labels, predicted: Any, weight: Vector | None) -> dict[str, float]:
    """`roc_auc` is the mean of one-vs-rest over the classes that occur among the labels."""
    from sklearn.metrics import f1_score, roc_auc_score

    top = answers(predicted).astype(str)
    classes = sorted(set(label))
    values = {
        "accuracy": mean((top == label).astype(np.float64), weight),
        "f1_macro": float(f1_score(label, top, average="macro", sample_weight=weight, zero_division=0)),
    }
    if len(classes) > 1:
        ranks = [roc_auc_score(label == name, one_of(predicted, name), sample_weight=weight) for name in classes]
        values["roc_auc"] = float(np.mean(ranks))
    return values


def _regression(label: Labels, predicted: Any, weight: Vector | None) -> dict[str, float]:
    from sklearn.metrics import r2_score

    values = {"absolute_error": mean(np.abs(label - predicted), weight)}
    if len(np.unique(label)) > 1:
        values["r2"] = float(r2_score(label, predicted, sample_weight=weight))
    return values
