"""What Kubeflow draws of a challenger: points of a ROC, or a confusion matrix; never more than it can show."""

import json

import numpy as np
import pandas as pd
import pytest

from tidegate.components.evaluate.classification import classification, confusion, roc

random = np.random.default_rng(0)


def scored(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that know something of them."""
    label = (random.random(rows) < 0.3).astype(float)
    return label, np.clip(0.3 * label + random.random(rows) * 0.7, 0, 1)


def area(points: list[dict[str, float]]) -> float:
    """The area under the points."""
    return float(np.trapezoid([it["recall"] for it in points], [it["falsePositiveRate"] for it in points]))


@pytest.mark.parametrize("rows", [2, 10, 5000])
def test_points_run_from_nothing_to_everything(rows: int) -> None:
    label, predicted = scored(rows)
    label[:2] = 0, 1
    points = roc(label, predicted)
    assert 2 <= len(points) <= 100
    assert points[0] == {"confidenceThreshold": 1.0, "falsePositiveRate": 0.0, "recall": 0.0}
    assert (points[-1]["falsePositiveRate"], points[-1]["recall"]) == (1.0, 1.0)
    for name, direction in (("confidenceThreshold", -1), ("falsePositiveRate", 1), ("recall", 1)):
        assert (np.diff([point[name] for point in points]) * direction >= 0).all()
    json.dumps(points, allow_nan=False)


def test_a_hundred_points_say_what_all_say() -> None:
    from sklearn.metrics import roc_auc_score

    label, predicted = scored(5000)
    weight = random.random(5000)
    assert area(roc(label, predicted)) == pytest.approx(roc_auc_score(label, predicted), abs=0.005)
    assert area(roc(label, predicted, weight)) == pytest.approx(
        roc_auc_score(label, predicted, sample_weight=weight), abs=0.005
    )


def test_a_confusion_matrix_counts_rows_by_class() -> None:
    found = confusion(np.array(["a", "a", "b", "new"]), np.array(["a", "b", "b", "a"]))["confusionMatrix"]
    assert [spec["displayName"] for spec in found["annotationSpecs"]] == ["a", "b", "new"]
    assert [line["row"] for line in found["rows"]] == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    json.dumps(found)


def test_too_many_classes_are_no_picture() -> None:
    names = np.array([f"class {number}" for number in range(60)])
    assert confusion(names, names) == {}


def test_each_task_has_its_own() -> None:
    label, predicted = scored(50)
    label[:2] = 0, 1
    assert list(classification(label, predicted, "binary")) == ["confidenceMetrics"]
    frame = pd.DataFrame({"a": predicted, "b": 1 - predicted})
    words = np.where(label == 1, "a", "b")
    assert list(classification(words, frame, "multiclass")) == ["confusionMatrix"]
    assert classification(label, predicted, "regression") == {}
