"""From model.yaml to a fitted pipeline: encoding that suits the estimator, then the estimator."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from components.errors import InputError
from components.scoring import Labels, Vector

CURE = "name one of them"
max_categories = 200  # histogram gradient boosting holds at most 255 bins; rarer values share one
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


def challenger(specification: Mapping[str, Any], features: Mapping[str, str], task: str = "binary") -> Pipeline:
    """The estimator of model.yaml behind the encoding it needs; InputError when it cannot be made."""
    estimator = _estimator(specification, task)
    names = {kind: [name for name, found in features.items() if found == kind] for kind in ("category", "number")}
    if type(estimator).__name__.startswith("HistGradientBoosting"):
        estimator.set_params(categorical_features=list(range(len(names["category"]))))
        return Pipeline([("encode", _ordinal(names)), ("estimator", estimator)])
    return Pipeline([("encode", _dense(names)), ("estimator", estimator)])


def fit(pipeline: Pipeline, inputs: pd.DataFrame, target: Labels, weight: Vector | None = None) -> Pipeline:
    """Fit a pipeline in place so that it can be stored: without the function that gradient boosting keeps inside.

    With categories it holds an encoder of its own, which maps our codes onto themselves.
    """
    empty = [str(name) for name in inputs if inputs[name].dtype != object and inputs[name].isna().all()]
    inputs = inputs.assign(**dict.fromkeys(empty, 0.0))  # teaches nothing; boosting cannot cut nothing into bins
    weight = _weighted(pipeline[-1], target, weight)
    try:
        pipeline.fit(inputs, target, **({} if weight is None else {"estimator__sample_weight": weight}))
    except ValueError as error:  # some combinations of hyper-parameters are refused only here
        found = " ".join(str(error).split())
        raise InputError(type(pipeline[-1]).__name__, "an estimator that fits", found, "mend model.yaml") from None
    inner = getattr(pipeline[-1], "_preprocessor", None)
    if inner is not None:
        for codes in inner.named_transformers_["encoder"].categories_:
            known = codes[~np.isnan(codes)]
            if not np.array_equal(known, np.arange(len(known))):
                raise AssertionError(f"the encoder of gradient boosting is not the identity: {known}")
        pipeline[-1]._preprocessor = None
    return pipeline


def _weighted(estimator: Any, target: Labels, weight: Vector | None) -> Vector | None:
    """The weights of the rows times those of their classes, which some estimators look up by code, not by name."""
    classes = getattr(estimator, "class_weight", None)
    if not isinstance(classes, Mapping) or target.dtype.kind != "U":
        return weight
    estimator.set_params(class_weight=None)
    found = np.array([classes.get(str(name), 1.0) for name in target], dtype=np.float64)
    return found if weight is None else found * weight


def baselines(features: Mapping[str, str], task: str = "binary") -> dict[str, Pipeline]:
    """What any model must beat: the labels' shares (of regression their mean) alone, and a linear model."""
    names = {kind: [name for name, found in features.items() if found == kind] for kind in ("category", "number")}
    if task == "regression":
        dummy, linear = DummyRegressor(), Ridge()
    else:
        dummy, linear = DummyClassifier(strategy="prior"), LogisticRegression(C=0.1, max_iter=200)
    return {
        "dummy": Pipeline([("encode", _ordinal(names)), ("estimator", dummy)]),
        "linear": Pipeline([("encode", _dense(names)), ("estimator", linear)]),
    }


def _estimator(specification: Mapping[str, Any], task: str) -> Any:
    if not isinstance(specification, Mapping):
        raise InputError("model.yaml", "names with values", type(specification).__name__, "name an estimator")
    path = specification.get("estimator")
    if path not in allowed[task]:
        raise InputError("model.yaml: estimator", f"one of {', '.join(allowed[task])}", _refused(path, task), CURE)
    module, name = path.rsplit(".", 1)
    try:
        estimator = getattr(import_module(module), name)(**_parameters(specification, task))
        estimator._validate_params()
        _check_probabilities(estimator, task)
    except (TypeError, ValueError) as error:
        found = " ".join(str(error).split())
        raise InputError("model.yaml: parameters", f"hyper-parameters of {name}", found, "mend them") from None
    return estimator


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


def _ordinal(names: Mapping[str, list[str]]) -> ColumnTransformer:
    """Codes for categories (missing and unknown ones are missing), numbers as they are."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=max_categories,
    )
    return ColumnTransformer(
        [("category", codes, names["category"]), ("number", "passthrough", names["number"])],
        verbose_feature_names_out=False,
    )


def _dense(names: Mapping[str, list[str]]) -> ColumnTransformer:
    """Indicators for categories, imputed and scaled numbers."""
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, max_categories=max_categories)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return ColumnTransformer(
        [("category", indicators, names["category"]), ("number", numbers, names["number"])],
        verbose_feature_names_out=False,
    )
