"""Losses and metrics against their definitions, and what a model is fed."""

import math

import numpy as np
import pandas as pd
import pytest

from components.scoring import labels, losses, metrics, model_input, predict


@pytest.mark.parametrize(
    ("label", "predicted", "loss"),
    [
        (1.0, 0.5, math.log(2)),
        (0.0, 0.5, math.log(2)),
        (1.0, 0.9, -math.log(0.9)),
        (0.0, 0.9, -math.log(0.1)),
        (1.0, 1.0, 0.0),
        (0.0, 0.0, 0.0),
        (1.0, 0.0, -math.log(1e-15)),
        (0.0, 1.0, 34.539),
    ],
)
def test_the_loss_of_a_row(label: float, predicted: float, loss: float) -> None:
    found = losses(np.array([label]), np.array([predicted]))
    assert found == pytest.approx([loss], abs=1e-3 if loss > 30 else 1e-12)


def test_metrics_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    random = np.random.default_rng(0)
    label, predicted = (random.random(500) < 0.3).astype(float), random.random(500)
    assert metrics(label, predicted) == pytest.approx(
        {
            "log_loss": log_loss(label, predicted),
            "brier": brier_score_loss(label, predicted),
            "roc_auc": roc_auc_score(label, predicted),
            "average_precision": average_precision_score(label, predicted),
        }
    )


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_alone_cannot_be_ranked(outcome: float) -> None:
    assert set(metrics(np.full(3, outcome), np.full(3, 0.5))) == {"log_loss", "brier"}


def test_a_model_is_fed_floats_and_texts() -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], "Int64"),
            "t": ["x", None],
            "b": pd.array([True, None], "boolean"),
            "unused": [1, 2],
        },
        index=[7, 9],
    )
    found = model_input(frame, {"t": "category", "n": "number", "b": "category"})
    assert list(found) == ["t", "n", "b"]
    assert found["n"].dtype == np.float64
    assert found["t"].dtype == object
    assert found.index.tolist() == [7, 9]
    assert [found["t"][7], found["b"][7], found["n"][7]] == ["x", True, 1.0]
    assert all(isinstance(value, float) and math.isnan(value) for value in found.loc[9])


@pytest.mark.parametrize("values", [[True, False, None], pd.array([1, 0, None], "Int64"), [1.0, 0.0, None]])
def test_labels_are_ones_and_zeros(values: object) -> None:
    frame = pd.DataFrame({"late": values})
    assert labels(frame[frame["late"].notna()], "late").tolist() == [1.0, 0.0]


def test_a_prediction_is_the_probability_that_the_label_holds() -> None:
    from sklearn.dummy import DummyClassifier

    frame = pd.DataFrame({"n": [1.0, 2.0, 3.0, 4.0]})
    model = DummyClassifier().fit(frame, [0.0, 0.0, 0.0, 1.0])
    assert np.asarray(predict(model, frame, {"n": "number"})).tolist() == [0.25] * 4
