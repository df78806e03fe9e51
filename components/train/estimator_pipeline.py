"""Pipelines that can be fitted: the encoding that suits an estimator, then the estimator."""

from collections.abc import Mapping

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from tidegate.components.train.encoding import dense, of_kind, ordinal
from tidegate.components.train.specification import Specification

TAKE_NO_SPARSE = ("BayesianRidge", "GaussianNB")


def challenger(specification: Specification, features: Mapping[str, str]) -> Pipeline:
    """The estimator of model.yaml behind the encoding it needs."""
    estimator, transformers = specification.unfitted(), specification.transformers
    boosts = type(estimator).__name__.startswith("HistGradientBoosting")
    columns = (ordinal if boosts else dense)(features, transformers)
    if boosts:
        estimator.set_params(categorical_features=list(range(len(of_kind(features, "category")))))
    if type(estimator).__name__ in TAKE_NO_SPARSE or (boosts and "words" in features.values()):
        columns.set_params(sparse_threshold=0)
    return Pipeline([("encode", columns), ("estimator", estimator)])


def baselines(features: Mapping[str, str], task: str) -> dict[str, Pipeline]:
    """What any model must beat: the labels' shares (of regression their mean) alone, and a linear model."""
    if task == "regression":
        dummy, linear = DummyRegressor(), Ridge()
    else:
        dummy, linear = DummyClassifier(strategy="prior"), LogisticRegression(C=0.1, max_iter=200)
    return {
        "dummy": Pipeline([("encode", ordinal(features, {})), ("estimator", dummy)]),
        "linear": Pipeline([("encode", dense(features, {})), ("estimator", linear)]),
    }
