"""ROC, calibration, precision and recall: how probabilities of two or of many classes do on the same rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tidegate.components.evaluate.tenths import tenths
from tidegate.scoring.scores import Labels, Vector, answers, one_of

points_per_line = 250
Line = list[tuple[float, float]]


def curves(label: Vector, predicted: Mapping[str, Vector], weight: Vector | None = None) -> list[dict[str, Any]]:
    """ROC, calibration, precision and recall of every model on the same rows, weighted; all axes from 0 to 1."""
    roc = {name: _roc(label, values, weight) for name, values in predicted.items()}
    precise = {name: _precision(label, values, weight) for name, values in predicted.items()}
    calibration = {name: _calibration(label, values, weight) for name, values in predicted.items()}
    return [
        _roc_picture("ROC", roc),
        {"title": "Calibration", "x": "predicted share", "y": "observed share", "dots": True, "lines": calibration},
        _precision_picture("Precision and recall", precise),
    ]


def each_against_the_rest(
    label: Labels, predicted: Mapping[str, pd.DataFrame], weight: Vector | None = None
) -> list[dict[str, Any]]:
    """ROC, precision and recall of each class against the rest (micro average), calibration of the most probable."""
    known = sorted(set(label).union(*(found.columns for found in predicted.values())))
    is_class = np.concatenate([label == name for name in known]).astype(np.float64)
    sizes = None if weight is None else np.tile(weight, len(known))
    said = {model: np.concatenate([one_of(found, name) for name in known]) for model, found in predicted.items()}
    roc = {model: _roc(is_class, values, sizes) for model, values in said.items()}
    precise = {model: _precision(is_class, values, sizes) for model, values in said.items()}
    calibration = {
        model: _calibration(_right(label, found), _surest(found), weight) for model, found in predicted.items()
    }
    x, y = "predicted probability", "share that is right"
    return [
        _roc_picture("ROC, each class against the rest", roc),
        {"title": "Calibration of the most probable class", "x": x, "y": y, "dots": True, "lines": calibration},
        _precision_picture("Precision and recall, each class against the rest", precise),
    ]


def _roc_picture(title: str, lines: Mapping[str, Line]) -> dict[str, Any]:
    return {"title": title, "x": "false positive rate", "y": "true positive rate", "dots": False, "lines": lines}


def _precision_picture(title: str, lines: Mapping[str, Line]) -> dict[str, Any]:
    return {"title": title, "x": "recall", "y": "precision", "dots": False, "diagonal": False, "lines": lines}


def _right(label: Labels, predicted: pd.DataFrame) -> Vector:
    return np.asarray(answers(predicted).astype(str) == label, dtype=np.float64)


def _surest(predicted: pd.DataFrame) -> Vector:
    return np.asarray(predicted.to_numpy().max(axis=1), dtype=np.float64)


def _roc(label: Vector, values: Vector, weight: Vector | None) -> Line:
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(label, values, sample_weight=weight)
    return _points(false, true)


def _precision(label: Vector, values: Vector, weight: Vector | None) -> Line:
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(label, values, sample_weight=weight)
    return _points(recall[::-1], precision[::-1])


def _calibration(label: Vector, values: Vector, weight: Vector | None) -> Line:
    return [(round(x, 4), round(y, 4)) for x, y in tenths(values, label, weight)]


def _points(x: Vector, y: Vector) -> Line:
    picked = np.unique(np.linspace(0, len(x) - 1, points_per_line).round().astype(int))
    return [(round(float(x[index]), 4), round(float(y[index]), 4)) for index in picked]
