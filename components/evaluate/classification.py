"""A challenger's ROC or confusion matrix as Kubeflow draws them (its artifact type ClassificationMetrics)."""

from typing import Any

import numpy as np
import pandas as pd

from tidegate.scoring.scores import Labels, Predictions, Vector, answers

most_points = 100
most_classes = 50  # more are no picture


def classification(label: Labels, predicted: Predictions, task: str, weight: Vector | None = None) -> dict[str, Any]:
    """`confidenceMetrics` of a binary task, `confusionMatrix` of a multiclass one, nothing of a regression."""
    if task == "binary":
        return {"confidenceMetrics": roc(label, np.asarray(predicted), weight)}
    if isinstance(predicted, pd.DataFrame):
        return confusion(label, answers(predicted).astype(str))
    return {}


def roc(label: Vector, predicted: Vector, weight: Vector | None = None) -> list[dict[str, float]]:
    """At most `most_points` points from the strictest threshold to the laxest; all numbers are finite."""
    from sklearn.metrics import roc_curve

    false, true, thresholds = roc_curve(label, predicted, sample_weight=weight)
    # The first threshold, which nothing reaches, is infinite.
    lines = np.stack([np.minimum(thresholds, 1.0), false, true], axis=1)
    picked = np.unique(np.linspace(0, len(lines) - 1, most_points).round().astype(int))
    names = ("confidenceThreshold", "falsePositiveRate", "recall")
    return [dict(zip(names, map(float, lines[index].round(6)), strict=True)) for index in picked]


def confusion(label: Labels, answered: Labels) -> dict[str, Any]:
    """How many rows of each class (a line) were taken for each class (a column); nothing where there are too many."""
    classes = sorted({*label, *answered})
    if len(classes) > most_classes:
        return {}
    counts = pd.crosstab(label, answered).reindex(index=classes, columns=classes, fill_value=0)
    return {
        "confusionMatrix": {
            "annotationSpecs": [{"displayName": str(name)} for name in classes],
            "rows": [{"row": [int(count) for count in line]} for line in counts.to_numpy()],
        }
    }
