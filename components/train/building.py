"""Pipelines that can be fitted: the encoding that suits an estimator, then the estimator."""

from collections.abc import Mapping
from typing import Any

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from components.train.encoding import by_kind, dense, ordinal
from components.train.estimators import estimator


def challenger(specification: Mapping[str, Any], features: Mapping[str, str], task: str = "binary") -> Pipeline:
    """The estimator of model.yaml behind the encoding it needs; InputError when it cannot be made."""
    made, names = estimator(specification, task), by_kind(features)
    if type(made).__name__.startswith("HistGradientBoosting"):
        made.set_params(categorical_features=list(range(len(names["category"]))))
        return Pipeline([("encode", ordinal(names)), ("estimator", made)])
    return Pipeline([("encode", dense(names)), ("estimator", made)])


def baselines(features: Mapping[str, str], task: str = "binary") -> dict[str, Pipeline]:
    """What any model must beat: the labels' shares (of regression their mean) alone, and a linear model."""
    names = by_kind(features)
    if task == "regression":
        dummy, linear = DummyRegressor(), Ridge()
    else:
        dummy, linear = DummyClassifier(strategy="prior"), LogisticRegression(C=0.1, max_iter=200)
    return {
        "dummy": Pipeline([("encode", ordinal(names)), ("estimator", dummy)]),
        "linear": Pipeline([("encode", dense(names)), ("estimator", linear)]),
    }
