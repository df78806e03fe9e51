"""Why an estimator of scikit-learn cannot be had: the first reason that holds."""

from inspect import signature
from typing import Any

OTHERS = {"estimator", "estimators", "regressor"}
ROW_KEEPERS = ("gaussian_process", "kernel_ridge", "neighbors", "semi_supervised", "svm")
SINGLE = {
    "BernoulliNB": "it takes features that are true or false only",
    "CategoricalNB": "it takes features that are whole numbers only",
    "ComplementNB": "it takes counts only",
    "DummyClassifier": "it is the baseline that every model must beat",
    "DummyRegressor": "it is the baseline that every model must beat",
    "IsotonicRegression": "it takes one feature only",
    "LinearSVR": "it is SGDRegressor with `loss: epsilon_insensitive`",
    "MultinomialNB": "it takes counts only",
    "NearestCentroid": "it cannot weigh rows",
    "QuantileRegressor": "it solves a linear programme as large as the table; "
    "HistGradientBoostingRegressor has `loss: quantile`",
}


def reason(kind: Any) -> str:
    """Why a class of scikit-learn that is not among the estimators of `estimators.py` is not."""
    from sklearn.base import ClassifierMixin, RegressorMixin

    if not issubclass(kind, (ClassifierMixin, RegressorMixin)):
        return "it predicts no label"
    if OTHERS & set(kind._get_param_names()):
        return "it is made of other estimators, which the checked loader would have to know too"
    if kind.__name__.endswith("CV"):
        return "it chooses hyper-parameters on rows out of their order in time; name them instead"
    if issubclass(kind, ClassifierMixin) and not hasattr(kind, "predict_proba"):
        return "it gives no probabilities"
    if kind.__name__ in SINGLE:
        return SINGLE[kind.__name__]
    if kind.__module__.split(".")[1] in ROW_KEEPERS:
        return "its file would hold training rows, and indices that compiled code never checks"
    if kind.__name__.startswith("MultiTask"):
        return "it predicts several labels at once"
    if "sample_weight" not in signature(kind.fit).parameters:
        return "it cannot weigh rows"
    return "the checked loader does not know it"
