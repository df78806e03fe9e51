"""The estimators that model.yaml may name, and why it may name no others."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from components.errors import InputError

CURE = "name one of them"
classifiers = (
    "sklearn.ensemble.HistGradientBoostingClassifier",
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.ensemble.ExtraTreesClassifier",
    "sklearn.ensemble.GradientBoostingClassifier",
    "sklearn.linear_model.LogisticRegression",
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
    "sklearn.tree.DecisionTreeRegressor",
    "sklearn.tree.ExtraTreeRegressor",
)
allowed = {"binary": classifiers, "multiclass": classifiers, "regression": regressors}
untrusted = {
    "sklearn.ensemble.AdaBoost": "its parts are not on the checked loader's list",
    "sklearn.ensemble.Bagging": "its parts are not on the checked loader's list",
    "sklearn.neighbors.": "it stores the training rows and indices that compiled code never checks",
    "sklearn.svm.": "its support vectors are indices that compiled code never checks",
}


def estimator(specification: Mapping[str, Any], task: str) -> Any:
    """The estimator of model.yaml with its hyper-parameters; InputError when it cannot be made."""
    if not isinstance(specification, Mapping):
        raise InputError("model.yaml", "names with values", type(specification).__name__, "name an estimator")
    path = specification.get("estimator")
    if path not in allowed[task]:
        raise InputError("model.yaml: estimator", f"one of {', '.join(allowed[task])}", _refused(path, task), CURE)
    module, name = path.rsplit(".", 1)
    try:
        made = getattr(import_module(module), name)(**_parameters(specification, task))
        made._validate_params()
        _check_probabilities(made, task)
    except (TypeError, ValueError) as error:
        found = " ".join(str(error).split())
        raise InputError("model.yaml: parameters", f"hyper-parameters of {name}", found, "mend them") from None
    return made


def _refused(path: Any, task: str) -> str:
    """What was named, and why it cannot be had."""
    if not isinstance(path, str):
        return repr(path)
    if path in (*classifiers, *regressors):
        return f"{path!r}, which does not fit the task {task}"
    reasons = (reason for prefix, reason in untrusted.items() if path.startswith(prefix))
    return f"{path!r}: {next(reasons, 'the checked loader does not trust it')}"


def _parameters(specification: Mapping[str, Any], task: str) -> dict[str, Any]:
    """The hyper-parameters; classes are texts to a multiclass model, also where YAML reads numbers or booleans."""
    found = dict(**(specification.get("parameters") or {}))
    if task == "multiclass" and isinstance(found.get("class_weight"), Mapping):
        found["class_weight"] = {_class(key): value for key, value in found["class_weight"].items()}
    return found


def _class(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _check_probabilities(estimator: Any, task: str) -> None:
    """ValueError for a classifier that gives classes but no probabilities."""
    if task != "regression" and not hasattr(estimator, "predict_proba"):
        raise ValueError("it gives no probabilities with these")
