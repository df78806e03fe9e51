"""How good predictions are: what a model is fed, the loss of each row, and the metrics of a set of rows."""

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
WIDEST = 1e30  # trees compute in single precision, of scaled numbers too, and refuse what is beyond it
LEAST_PROBABILITY = 1e-15  # a certain and wrong model still has a finite loss


def model_input(frame: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """The features of `frame` as every model is fed them.

    Numbers are floats within ±1e30 or NaN, categories texts or NaN, words texts that may be empty.
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
    """How much each row counts, shape (rows,); None when all count alike, InputError for one that is not above 0."""
    if weight is None:
        return None
    found = np.asarray(frame[weight], dtype=np.float64)
    bad = ~(np.isfinite(found) & (found > 0))
    if bad.any():
        raise InputError(f"features.sql: {weight}", "weights above 0", f"{int(bad.sum()):,} others", "mend its SQL")
    return found


def predict(model: Any, frame: pd.DataFrame, features: Mapping[str, str], task: str) -> Predictions:
    """The probability that the label holds or the number, shape (rows,); of multiclass the probability per class.

    Numbers end at ±1e150: a model with an exponential in it goes beyond on odd rows, and its loss must stay a number.
    InputError when a model has no answer for a row.
    """
    ask = model.predict if task == "regression" else model.predict_proba
    found = np.asarray(ask(model_input(frame, features)), dtype=np.float64)
    if unknown := int(np.isnan(found).any(axis=tuple(range(1, found.ndim))).sum()):
        thing = f"predictions of {type(model[-1] if hasattr(model, 'steps') else model).__name__}"
        cure = "look for constant or huge features, or name another estimator"
        raise InputError(thing, "a number for each row", f"none for {unknown:,} of {len(found):,}", cure)
    if task == "multiclass":
        return pd.DataFrame(found, columns=pd.Index(model.classes_, dtype=object), index=frame.index)
    return np.asarray(found[:, 1]) if task == "binary" else np.clip(found, -LARGEST, LARGEST)


def answers(predicted: Predictions) -> npt.NDArray[Any]:
    """One value per row, shape (rows,): of multiclass the most probable class, otherwise the prediction itself."""
    if isinstance(predicted, pd.DataFrame):
        top: npt.NDArray[Any] = predicted.columns.to_numpy(object)[predicted.to_numpy().argmax(axis=1)]
        return top
    return np.asarray(predicted)


def least_known(rows: int) -> float:
    """What `rows` training rows can say of a class that none of them shows: 1 / (rows + 1).

    This is additive smoothing with one pseudo-count (Laplace's rule of succession) for all that is new. A class may
    appear at any time; at 1e-15 a single row of it would cost every model 34.5 nats, and drown all that they know.
    """
    return 1 / (rows + 1)


def losses(label: Labels, predicted: Predictions, task: str, least: float = LEAST_PROBABILITY) -> Vector:
    """The loss of each row, shape (rows,): log loss in nats, of regression the squared error.

    Of many classes none counts as less probable than `least`, known to the model or not: `least_known` of the
    challenger's training rows, the same for all models that are compared. Two classes are always known to a model.
    """
    if task == "regression":
        return np.asarray((label - predicted) ** 2, dtype=np.float64)
    if isinstance(predicted, pd.DataFrame):
        place = predicted.columns.get_indexer(pd.Index(label, dtype=object))
        given = np.where(place >= 0, predicted.to_numpy()[np.arange(len(label)), place], 0.0)
        return np.asarray(-np.log(np.clip(given, least, 1.0)))
    bounded = np.clip(predicted, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-np.where(label == 1, np.log(bounded), np.log1p(-bounded)))


def mean(values: Vector, weight: Vector | None) -> float:
    """The mean of rows, each counted by its weight."""
    return float(np.average(values, weights=weight))


def metrics(
    label: Labels,
    predicted: Predictions,
    task: str,
    weight: Vector | None = None,
    least: float = LEAST_PROBABILITY,
) -> dict[str, float]:
    """The metrics of a task (see `tasks`), weighted; those that rank need two labels, R² two values."""
    own = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[task]
    loss = mean(losses(label, predicted, task, least), weight)
    return {TASKS[task].loss: loss, **own(label, predicted, weight)}


def one_of(predicted: pd.DataFrame, name: str) -> Vector:
    """The probability of one class, shape (rows,); 0 where the model does not know it."""
    return np.asarray(predicted[name] if name in predicted else np.zeros(len(predicted)), dtype=np.float64)


def _binary(label: Labels, predicted: Any, weight: Vector | None) -> dict[str, float]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    found = {"brier": mean((predicted - label) ** 2, weight)}
    if 0 < label.mean() < 1:
        found["roc_auc"] = float(roc_auc_score(label, predicted, sample_weight=weight))
        found["average_precision"] = float(average_precision_score(label, predicted, sample_weight=weight))
    return found


def _multiclass(label: Labels, predicted: Any, weight: Vector | None) -> dict[str, float]:
    """`roc_auc` is the mean over the classes among the labels, each against the rest."""
    from sklearn.metrics import f1_score, roc_auc_score

    top = answers(predicted).astype(str)
    known = sorted(set(label))
    found = {
        "accuracy": mean((top == label).astype(np.float64), weight),
        "f1_macro": float(f1_score(label, top, average="macro", sample_weight=weight, zero_division=0)),
    }
    if len(known) > 1:
        ranks = [roc_auc_score(label == name, one_of(predicted, name), sample_weight=weight) for name in known]
        found["roc_auc"] = float(np.mean(ranks))
    return found


def _regression(label: Labels, predicted: Any, weight: Vector | None) -> dict[str, float]:
    from sklearn.metrics import r2_score

    found = {"absolute_error": mean(np.abs(label - predicted), weight)}
    if len(np.unique(label)) > 1:
        found["r2"] = float(r2_score(label, predicted, sample_weight=weight))
    return found
