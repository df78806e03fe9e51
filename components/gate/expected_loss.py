"""The champion's loss as it can be expected before labels come: from its probabilities, or from a model of errors."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from tidegate.scoring.scores import LEAST_PROBABILITY, Vector, labels, least_known, losses, mean, model_input
from tidegate.tracking.champion import Champion

FOREST = {"max_iter": 60, "max_leaf_nodes": 8, "min_samples_leaf": 40, "learning_rate": 0.1, "random_state": 0}
LEAST_LEARNED = 100  # labelled rows of the reference: a model of errors on fewer is their mean
PREDICTION, RECORDED = "prediction", "probabilities"


def expected_losses(champion: Champion, rows: pd.DataFrame) -> Vector:
    """The expected loss of each row, shape (rows,), in the unit of the task's loss; `rows` hold its `prediction`.

    Of classes it is the entropy of the champion's probabilities, which is its log loss if they are calibrated. Of a
    number it is what trees say of the squared error, learned from the labelled rows of the reference sample and
    scaled so that the mean there is the loss of the verdict: on rows that it was trained on the champion errs less.
    """
    if champion.contract.task == "regression":
        return _squared_errors(champion, rows)
    if champion.contract.task == "binary":
        chosen = np.clip(np.asarray(rows[PREDICTION], dtype=np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return np.asarray(-chosen * np.log(chosen) - (1 - chosen) * np.log1p(-chosen))
    return np.asarray([_entropy(row, least_known(champion.record.rows)) for row in _probabilities(champion, rows)])


def _probabilities(champion: Champion, rows: pd.DataFrame) -> Iterable[Vector]:
    """The probabilities of the classes, row by row: those that were recorded with the answers, or asked again."""
    if RECORDED in rows:
        return (np.array([share for _, share in pairs], dtype=np.float64) for pairs in rows[RECORDED])
    predicted = champion.predict(rows)
    assert isinstance(predicted, pd.DataFrame)
    return predicted.to_numpy(np.float64)


def _entropy(probabilities: Vector, least: float) -> float:
    return float(-(probabilities * np.log(np.clip(probabilities, least, 1.0))).sum())


def _squared_errors(champion: Champion, rows: pd.DataFrame) -> Vector:
    own, reference = champion.contract, champion.reference
    known = reference[reference[own.label].notna()]
    errors = losses(labels(known, own.label, own.task), known[PREDICTION].to_numpy(np.float64), own.task)
    promised = champion.verdict.loss if champion.verdict else mean(errors, None)
    if len(known) < LEAST_LEARNED or not errors.any():
        return np.full(len(rows), promised)
    from sklearn.ensemble import HistGradientBoostingRegressor

    before, now = _numbers(champion, known), _numbers(champion, rows)
    forest = HistGradientBoostingRegressor(**FOREST).fit(before, errors)
    scale = promised / max(float(_positive(forest, before).mean()), np.finfo(np.float64).tiny)
    return _positive(forest, now) * scale


def _positive(forest: Any, rows: Any) -> Vector:
    return np.asarray(np.maximum(forest.predict(rows), 0.0), dtype=np.float64)


def _numbers(champion: Champion, rows: pd.DataFrame) -> Any:
    """Features and prediction as numbers, shape (rows, columns); a category is its rank by frequency."""
    fed = model_input(rows, champion.features)
    columns = [rows[PREDICTION].to_numpy(np.float64)]
    for name, kind in champion.features.items():
        if kind == "category":
            ranks = {value: rank for rank, value in enumerate(champion.reference[name].value_counts().index)}
            columns.append(fed[name].map(ranks).to_numpy(np.float64))
        else:
            columns.append(fed[name].to_numpy(np.float64))
    return np.column_stack(columns)
