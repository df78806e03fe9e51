"""From model.yaml to an unfitted pipeline: encoding that suits the estimator, then the estimator."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from components.errors import InputError
from components.scoring import Vector

max_categories = 200  # histogram gradient boosting holds at most 255 bins; rarer values share one
allowed = (
    "sklearn.ensemble.HistGradientBoostingClassifier",
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.ensemble.ExtraTreesClassifier",
    "sklearn.linear_model.LogisticRegression",
    "sklearn.tree.DecisionTreeClassifier",
)


def challenger(specification: Mapping[str, Any], features: Mapping[str, str]) -> Pipeline:
    """The estimator of model.yaml behind the encoding it needs; InputError when it cannot be made."""
    estimator = _estimator(specification)
    names = {kind: [name for name, found in features.items() if found == kind] for kind in ("category", "number")}
    if type(estimator).__name__.startswith("HistGradientBoosting"):
        estimator.set_params(categorical_features=list(range(len(names["category"]))))
        return Pipeline([("encode", _ordinal(names)), ("estimator", estimator)])
    return Pipeline([("encode", _dense(names)), ("estimator", estimator)])


def fit(pipeline: Pipeline, inputs: pd.DataFrame, target: Vector) -> Pipeline:
    """Fit a pipeline in place so that it can be stored: without the function that gradient boosting keeps inside.

    With categories it holds an encoder of its own, which maps our codes onto themselves.
    """
    empty = [str(name) for name in inputs if inputs[name].dtype != object and inputs[name].isna().all()]
    inputs = inputs.assign(**dict.fromkeys(empty, 0.0))  # teaches nothing; boosting cannot cut nothing into bins
    try:
        pipeline.fit(inputs, target)
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


def baselines(features: Mapping[str, str]) -> dict[str, Pipeline]:
    """What any model must beat: the label's share alone, and a linear model."""
    names = {kind: [name for name, found in features.items() if found == kind] for kind in ("category", "number")}
    linear = LogisticRegression(C=0.1, max_iter=200)
    return {
        "dummy": Pipeline([("encode", _ordinal(names)), ("estimator", DummyClassifier(strategy="prior"))]),
        "linear": Pipeline([("encode", _dense(names)), ("estimator", linear)]),
    }


def _estimator(specification: Mapping[str, Any]) -> Any:
    if not isinstance(specification, Mapping):
        raise InputError("model.yaml", "names with values", type(specification).__name__, "name an estimator")
    path = specification.get("estimator")
    if path not in allowed:
        raise InputError("model.yaml: estimator", f"one of {', '.join(allowed)}", repr(path), "name one of them")
    module, name = path.rsplit(".", 1)
    try:
        estimator = getattr(import_module(module), name)(**(specification.get("parameters") or {}))
        estimator._validate_params()
    except (TypeError, ValueError) as error:
        found = " ".join(str(error).split())
        raise InputError("model.yaml: parameters", f"hyper-parameters of {name}", found, "mend them") from None
    return estimator


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
