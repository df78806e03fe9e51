"""Features that tell the label almost alone: what is known only after the event, most likely."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.documents.verdict import CheckResult
from tidegate.scoring.scores import Labels, Vector, model_input

MOST_LEAVES = 16  # of the tree that explains the label by a number
LEAST_ROWS = 20  # a text with fewer rows tells its rows, not the label
Columns = npt.NDArray[np.float64]


def leak(
    rows: pd.DataFrame, features: Mapping[str, str], label: Labels, limit: float, weight: Vector | None
) -> CheckResult:
    """Refused when one feature alone explains more than `limit` of the label's variance; it names the feature."""
    inputs, target = model_input(rows, features), columns_of(label)
    shares = {
        name: explained(inputs[name], kind, target, weight) for name, kind in features.items() if kind != "words"
    }
    name = max(shares, key=lambda feature: shares[feature], default="")
    number = shares.get(name, 0.0)
    passed = number <= limit
    share = f"{name} explains {number:.1%} of the label's variance, evaluate.leak is {limit:.1%}"
    meaning = "no feature tells the label alone" if passed else "a feature tells the label, as a leak does"
    return CheckResult("leak", passed, f"{meaning}: {share}", number, None, "at most", limit)


def explained(column: pd.Series, kind: str, target: Columns, weight: Vector | None) -> float:
    """The share of the variance of the label, shape (rows, classes), that a function of one feature explains."""
    from sklearn.tree import DecisionTreeRegressor

    if kind == "number":
        values = column.to_numpy(np.float64)[:, None]
        if np.isnan(values).all():
            return 0.0
        tree = DecisionTreeRegressor(max_leaf_nodes=MOST_LEAVES, min_samples_leaf=LEAST_ROWS, random_state=0)
        predicted = tree.fit(values, target, sample_weight=weight).predict(values).reshape(target.shape)
    else:
        predicted = _by_value(column, target, weight)
    return 1 - spread(target - predicted, weight) / (spread(target - _mean(target, weight), weight) or 1.0)


def _by_value(column: pd.Series, target: Columns, weight: Vector | None) -> Columns:
    """The mean of the label over the rows of the same value; over those of all rare values together."""
    often = column.map(column.value_counts(dropna=False)).fillna(0) >= LEAST_ROWS
    place, _ = pd.factorize(column.astype(object).where(often, np.nan), use_na_sentinel=False)
    means = np.zeros_like(target)
    for value in np.unique(place):
        rows = place == value
        means[rows] = _mean(target[rows], None if weight is None else weight[rows])
    return means


def columns_of(label: Labels) -> Columns:
    """The label as numbers: one column, or one per class."""
    if label.dtype.kind == "f":
        return np.asarray(label, dtype=np.float64)[:, None]
    return np.asarray(label[:, None] == np.unique(label), dtype=np.float64)


def _mean(values: Columns, weight: Vector | None) -> Vector:
    return np.asarray(np.average(values, axis=0, weights=weight))


def spread(values: Columns, weight: Vector | None = None) -> float:
    """The mean square of a row, all columns together."""
    return float(np.average((values**2).sum(axis=1), weights=weight))
