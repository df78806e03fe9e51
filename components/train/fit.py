"""Fitting a pipeline so that its file holds nothing that only training needs."""

from collections.abc import Mapping
from inspect import ismethod
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from tidegate.process.errors import InputError
from tidegate.scoring.scores import Labels, Vector

# The loss and the scorer that are functions, the optimiser with its momenta, and an answer for each training row.
FOR_TRAINING = {"_loss_function_", "_optimizer", "_random_state", "_scorer", "outliers_"}


def fit(pipeline: Pipeline, inputs: pd.DataFrame, target: Labels, weight: Vector | None = None) -> Pipeline:
    """Fit a pipeline in place so that it can be stored; InputError when its hyper-parameters do not fit the rows."""
    empty = [str(name) for name in inputs if inputs[name].dtype != object and inputs[name].isna().all()]
    inputs = inputs.assign(**dict.fromkeys(empty, 0.0))  # teaches nothing; boosting cannot cut nothing into bins
    weight = _weighted(pipeline[-1], target, weight)
    try:
        with threadpool_limits(1, user_api="blas"):  # sums differ in their last bit with the number of its threads
            pipeline.fit(inputs, target, **({} if weight is None else {"estimator__sample_weight": weight}))
    except ValueError as error:  # some combinations of hyper-parameters are refused only here
        found = str(error).strip().splitlines()[0]
        raise InputError(type(pipeline[-1]).__name__, "an estimator that fits", found, "correct model.yaml") from None
    _strip(pipeline[-1])
    return pipeline


def _strip(estimator: Any) -> None:
    """Take out what only training needs; most of it no checked loader could trust.

    Gradient boosting holds, with categories, an encoder of its own, which maps our codes onto themselves.
    """
    for name, value in list(vars(estimator).items()):
        if ismethod(value):  # early stopping by a score leaves one of its own methods on it
            delattr(estimator, name)
        elif name in FOR_TRAINING:
            setattr(estimator, name, None)
    inner = getattr(estimator, "_preprocessor", None)
    if inner is not None:
        for codes in inner.named_transformers_["encoder"].categories_:
            filled = codes[~np.isnan(codes)]
            if not np.array_equal(filled, np.arange(len(filled))):
                raise AssertionError(f"the encoder of gradient boosting is not the identity: {filled}")
        estimator._preprocessor = None


def _weighted(estimator: Any, target: Labels, weight: Vector | None) -> Vector | None:
    """The weights of the rows times those of their classes, which some estimators look up by code, not by name."""
    classes = getattr(estimator, "class_weight", None)
    if not isinstance(classes, Mapping) or target.dtype.kind != "U":
        return weight
    estimator.set_params(class_weight=None)
    class_weights = np.array([classes.get(str(name), 1.0) for name in target], dtype=np.float64)
    return class_weights if weight is None else class_weights * weight
