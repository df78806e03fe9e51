"""Losses and metrics against their definitions, and what a model is fed."""

import math

import numpy as np
import pandas as pd
import pytest

from tidegate.process.errors import InputError
from tidegate.scoring.scores import (
    answers,
    labels,
    least_known,
    losses,
    metrics,
    model_input,
    one_of,
    predict,
    weights,
)


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
    found = losses(np.array([label]), np.array([predicted]), "binary")
    assert found == pytest.approx([loss], abs=1e-3 if loss > 30 else 1e-12)


def test_metrics_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    random = np.random.default_rng(0)
    label, predicted = (random.random(500) < 0.3).astype(float), random.random(500)
    assert metrics(label, predicted, "binary") == pytest.approx(
        {
            "log_loss": log_loss(label, predicted),
            "brier": brier_score_loss(label, predicted),
            "roc_auc": roc_auc_score(label, predicted),
            "average_precision": average_precision_score(label, predicted),
        }
    )


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_alone_cannot_be_ranked(outcome: float) -> None:
    assert set(metrics(np.full(3, outcome), np.full(3, 0.5), "binary")) == {"log_loss", "brier"}


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
    assert labels(frame[frame["late"].notna()], "late", "binary").tolist() == [1.0, 0.0]


def test_a_prediction_is_the_probability_that_the_label_holds() -> None:
    from sklearn.dummy import DummyClassifier

    frame = pd.DataFrame({"n": [1.0, 2.0, 3.0, 4.0]})
    model = DummyClassifier().fit(frame, [0.0, 0.0, 0.0, 1.0])
    assert np.asarray(predict(model, frame, {"n": "number"}, "binary")).tolist() == [0.25] * 4


def test_metrics_of_many_classes_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

    random = np.random.default_rng(0)
    label, weight = random.choice(["a", "b", "c"], 500), random.uniform(0.1, 3, 500)
    predicted = pd.DataFrame(random.dirichlet([1, 1, 1], 500), columns=["a", "b", "c"])
    top = answers(predicted).astype(str)
    for given in (None, weight):
        assert metrics(label, predicted, "multiclass", given) == pytest.approx(
            {
                "log_loss": log_loss(label, predicted, sample_weight=given),
                "accuracy": accuracy_score(label, top, sample_weight=given),
                "f1_macro": f1_score(label, top, average="macro", sample_weight=given),
                "roc_auc": np.mean([roc_auc_score(label == c, predicted[c], sample_weight=given) for c in "abc"]),
            }
        )


def test_metrics_of_numbers_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    random = np.random.default_rng(0)
    label, predicted, weight = random.normal(5, 2, 300), random.normal(5, 2, 300), random.uniform(0.1, 3, 300)
    for given in (None, weight):
        assert metrics(label, predicted, "regression", given) == pytest.approx(
            {
                "squared_error": mean_squared_error(label, predicted, sample_weight=given),
                "absolute_error": mean_absolute_error(label, predicted, sample_weight=given),
                "r2": r2_score(label, predicted, sample_weight=given),
            }
        )
    assert set(metrics(np.ones(3), np.zeros(3), "regression")) == {"squared_error", "absolute_error"}


def test_weighted_metrics_of_two_classes_are_those_of_repeated_rows() -> None:
    random = np.random.default_rng(0)
    label, predicted = (random.random(200) < 0.3).astype(float), random.random(200)
    times = random.integers(1, 4, 200)
    assert metrics(label, predicted, "binary", times.astype(float)) == pytest.approx(
        metrics(label.repeat(times), predicted.repeat(times), "binary")
    )


@pytest.mark.parametrize(
    ("label", "loss"),
    [("a", -math.log(0.7)), ("b", -math.log(0.3)), ("never seen", -math.log(1e-15)), ("c", -math.log(1e-15))],
)
def test_a_class_that_a_model_does_not_know_costs_what_the_impossible_costs(label: str, loss: float) -> None:
    predicted = pd.DataFrame({"a": [0.7], "b": [0.3], "c": [0.0]}, index=[9])
    assert losses(np.array([label]), predicted, "multiclass") == pytest.approx([loss])
    assert answers(predicted).tolist() == ["a"]
    assert one_of(predicted, "never seen").tolist() == [0.0]
    both = metrics(np.array([label, "b"]), pd.concat([predicted] * 2), "multiclass")
    assert all(math.isfinite(value) for value in both.values())


def test_no_class_counts_as_less_probable_than_the_training_rows_can_say() -> None:
    label = np.array(["a", "b", "c", "new", "a"])
    known = pd.DataFrame({"a": [1.0, 0.5, 0.5, 0.5, 0.0], "b": [0.0, 0.5, 0.5, 0.5, 1.0], "c": 0.0})
    unknown = known[["a", "b"]]
    rare = -math.log(1 / 1000)
    expected = [0.0, math.log(2), rare, rare, rare]
    for predicted in (known, unknown):
        assert losses(label, predicted, "multiclass", least_known(999)) == pytest.approx(expected)
    assert metrics(label, unknown, "multiclass", None, least_known(999))["log_loss"] == pytest.approx(
        np.mean(expected)
    )
    assert losses(np.array([1.0]), np.array([0.0]), "binary", least_known(9)) == pytest.approx([-math.log(1e-15)])


def test_a_class_seen_once_is_likelier_than_one_never_seen() -> None:
    from sklearn.dummy import DummyClassifier

    frame = pd.DataFrame({"n": np.zeros(50)})
    shares = predict(DummyClassifier().fit(frame, ["often"] * 49 + ["once"]), frame, {"n": "number"}, "multiclass")
    seen, unseen = (losses(np.array([name] * 50), shares, "multiclass", least_known(50)) for name in ("once", "new"))
    assert (seen < unseen).all()


def test_above_the_least_the_loss_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import log_loss

    random = np.random.default_rng(2)
    label = random.choice(["a", "b", "c"], 300)
    predicted = pd.DataFrame(random.dirichlet([5, 5, 5], 300), columns=["a", "b", "c"])
    assert predicted.to_numpy().min() > least_known(10_000)
    assert metrics(label, predicted, "multiclass", None, least_known(10_000))["log_loss"] == pytest.approx(
        log_loss(label, predicted)
    )


@pytest.mark.parametrize("values", [["x", "y"], [3, 4], [True, False]])
def test_classes_are_texts(values: list[object]) -> None:
    assert labels(pd.DataFrame({"c": values}), "c", "multiclass").tolist() == [str(value) for value in values]


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, None])
def test_a_weight_that_is_none_is_one_line(bad: float | None) -> None:
    assert weights(pd.DataFrame({"w": [1, 2]}), None) is None
    assert np.asarray(weights(pd.DataFrame({"w": [1, 2]}), "w")).tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match=r"^features\.sql: w: expected weights above 0, found 1 others; correct"):
        weights(pd.DataFrame({"w": [1.0, bad]}), "w")


def test_infinite_features_are_missing() -> None:
    found = model_input(pd.DataFrame({"n": [1.0, math.inf, -math.inf]}), {"n": "number"})
    assert found["n"].isna().tolist() == [False, True, True]


def test_numbers_beyond_single_precision_are_the_widest_that_models_are_fed() -> None:
    """Scaled by a small deviation they must still be numbers for trees, which compute in single precision."""
    found = model_input(pd.DataFrame({"n": [1e300, -1e300, 1e30, 5.0]}), {"n": "number"})
    assert found["n"].tolist() == [1e30, -1e30, 1e30, 5.0]
    assert np.isfinite((found["n"].to_numpy() / 1e-7).astype(np.float32)).all()
