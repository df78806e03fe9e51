"""A challenger's ROC or confusion matrix as Kubeflow draws them (its artifact type ClassificationMetrics)."""

from typing import Any

import numpy as np
import pandas as pd

from tidegate.scoring.scores import Labels, Predictions, Vector, answers

MOST_POINTS = 100
MOST_CLASSES = 50  # more are no picture


def classification(label: Labels, predicted: Predictions, task: str, weight: Vector | None = None) -> dict[str, Any]:
    """`confidenceMetrics` of a binary task, `confusionMatrix` of a multiclass one, nothing of a regression."""
    if task == "binary":
        return {"confidenceMetrics": roc(label, np.asarray(predicted), weight)}
    if isinstance(predicted, pd.DataFrame):
        return confusion(label, answers(predicted).astype(str))
    return {}


def roc(label: Vector, predicted: Vector, weight: Vector | None = None) -> list[dict[str, float]]:
    """At most `MOST_POINTS` points from the strictest threshold to the laxest; all numbers are finite."""
    from sklearn.metrics import roc_curve

    false, true, thresholds = roc_curve(label, predicted, sample_weight=weight)
    # The first threshold, which nothing reaches, is infinite.
    points = np.stack([np.minimum(thresholds, 1.0), false, true], axis=1)
    picked = np.unique(np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(int))
    names = ("confidenceThreshold", "falsePositiveRate", "recall")
    return [dict(zip(names, map(float, points[index].round(6)), strict=True)) for index in picked]


def confusion(label: Labels, predicted: Labels) -> dict[str, Any]:
    """How many rows of each class (a line) were predicted as each class (a column); nothing of too many classes."""
    classes = sorted({*label, *predicted})
    if len(classes) > MOST_CLASSES:
        return {}
    counts = pd.crosstab(label, predicted).reindex(index=classes, columns=classes, fill_value=0)
    return {
        "confusionMatrix": {
            "annotationSpecs": [{"displayName": str(name)} for name in classes],
            "rows": [{"row": [int(count) for count in line]} for line in counts.to_numpy()],
        }
    }
