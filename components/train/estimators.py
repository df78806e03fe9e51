"""The estimators that model.yaml may name, and why it may name no others."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from components.schema import Fault, hint
from components.train.refusals import reason

classifiers = (
    "sklearn.ensemble.HistGradientBoostingClassifier",
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.ensemble.ExtraTreesClassifier",
    "sklearn.ensemble.GradientBoostingClassifier",
    "sklearn.linear_model.LogisticRegression",
    "sklearn.linear_model.SGDClassifier",
    "sklearn.naive_bayes.GaussianNB",
    "sklearn.neural_network.MLPClassifier",
    "sklearn.tree.DecisionTreeClassifier",
    "sklearn.tree.ExtraTreeClassifier",
)
regressors = (
    "sklearn.ensemble.HistGradientBoostingRegressor",
    "sklearn.ensemble.RandomForestRegressor",
    "sklearn.ensemble.ExtraTreesRegressor",
    "sklearn.ensemble.GradientBoostingRegressor",
    "sklearn.linear_model.LinearRegression",
    "sklearn.linear_model.Ridge",
    "sklearn.linear_model.Lasso",
    "sklearn.linear_model.ElasticNet",
    "sklearn.linear_model.BayesianRidge",
    "sklearn.linear_model.HuberRegressor",
    "sklearn.linear_model.PoissonRegressor",
    "sklearn.linear_model.GammaRegressor",
    "sklearn.linear_model.TweedieRegressor",
    "sklearn.linear_model.SGDRegressor",
    "sklearn.neural_network.MLPRegressor",
    "sklearn.tree.DecisionTreeRegressor",
    "sklearn.tree.ExtraTreeRegressor",
)
allowed = {"binary": classifiers, "multiclass": classifiers, "regression": regressors}


def named(path: str) -> Any:
    """The class that scikit-learn has under an import path, None when it has none; nothing else is imported."""
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name, None) if path.startswith("sklearn.") else None
    except Exception:  # some of its modules want packages that are not there
        return None
    return found if isinstance(found, type) and hasattr(found, "_get_param_names") else None


def estimator_faults(path: str, task: str) -> Iterator[Fault]:
    """What is wrong with an estimator's import path."""
    if path not in allowed[task]:
        yield Fault(("estimator",), f"one of {', '.join(allowed[task])}", _refused(path, task))


def _refused(path: str, task: str) -> str:
    """What was named, and why it cannot be had."""
    if path in (*classifiers, *regressors):
        return f"{path!r}, which does not fit the task {task}"
    if not path.startswith("sklearn."):
        return f"{hint(path, allowed[task])}: the checked loader knows estimators of scikit-learn only"
    kind = named(path)
    return f"{path!r}: {reason(kind)}" if kind else hint(path, allowed[task])
