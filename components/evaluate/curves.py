"""ROC, calibration, precision and recall: how probabilities of two or of many classes do on the same rows."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tidegate.components.evaluate.panel import Line, Panel
from tidegate.components.evaluate.tenths import tenths
from tidegate.documents.verdict import ModelName
from tidegate.scoring.scores import Labels, Vector, answers, one_of

POINTS_PER_LINE = 250


def curves(label: Vector, predicted: Mapping[ModelName, Vector], weight: Vector | None = None) -> list[Panel]:
    """ROC, calibration, precision and recall of every model on the same rows, weighted; all axes from 0 to 1."""
    roc = {name: _roc(label, values, weight) for name, values in predicted.items()}
    precise = {name: _precision(label, values, weight) for name, values in predicted.items()}
    calibration = {name: _calibration(label, values, weight) for name, values in predicted.items()}
    return [
        _roc_picture("ROC", roc),
        Panel("Calibration", "predicted share", "observed share", calibration, dots=True),
        _precision_picture("Precision and recall", precise),
    ]


def each_against_the_rest(
    label: Labels, predicted: Mapping[ModelName, pd.DataFrame], weight: Vector | None = None
) -> list[Panel]:
    """ROC, precision and recall of each class against the rest (micro average), calibration of the most probable."""
    classes = sorted(set(label).union(*(table.columns for table in predicted.values())))
    is_class = np.concatenate([label == name for name in classes]).astype(np.float64)
    sizes = None if weight is None else np.tile(weight, len(classes))
    of_class = {model: np.concatenate([one_of(table, name) for name in classes]) for model, table in predicted.items()}
    roc = {model: _roc(is_class, values, sizes) for model, values in of_class.items()}
    precise = {model: _precision(is_class, values, sizes) for model, values in of_class.items()}
    calibration = {
        model: _calibration(_correct(label, table), _largest(table), weight) for model, table in predicted.items()
    }
    x, y = "predicted probability", "share that is right"
    return [
        _roc_picture("ROC, each class against the rest", roc),
        Panel("Calibration of the most probable class", x, y, calibration, dots=True),
        _precision_picture("Precision and recall, each class against the rest", precise),
    ]


def _roc_picture(title: str, lines: Mapping[ModelName, Line]) -> Panel:
    return Panel(title, "false positive rate", "true positive rate", lines)


def _precision_picture(title: str, lines: Mapping[ModelName, Line]) -> Panel:
    return Panel(title, "recall", "precision", lines, diagonal=False)


def _correct(label: Labels, predicted: pd.DataFrame) -> Vector:
    return np.asarray(answers(predicted).astype(str) == label, dtype=np.float64)


def _largest(predicted: pd.DataFrame) -> Vector:
    return np.asarray(predicted.to_numpy().max(axis=1), dtype=np.float64)


def _roc(label: Vector, values: Vector, weight: Vector | None) -> Line:
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(label, values, sample_weight=weight)
    return _points(false, true)


def _precision(label: Vector, values: Vector, weight: Vector | None) -> Line:
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(label, values, sample_weight=weight)
    # Without a positive among the first rows there is no recall; of no rows at all scikit-learn says a precision of 1.
    positive = recall > 0
    x, y = recall[positive][::-1], precision[positive][::-1]
    return _points(np.append(0.0, x), np.append(y[:1], y))


def _calibration(label: Vector, values: Vector, weight: Vector | None) -> Line:
    return [(round(x, 4), round(y, 4)) for x, y in tenths(values, label, weight)]


def _points(x: Vector, y: Vector) -> Line:
    picked = np.unique(np.linspace(0, len(x) - 1, POINTS_PER_LINE).round().astype(int))
    return [(round(float(x[index]), 4), round(float(y[index]), 4)) for index in picked]
