"""The verdict on rows that hold a class which nobody has learned: alike for every model."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.documents import batch_of
from tidegate.components.evaluate.evaluation import Evaluation, labelled
from tidegate.components.evaluate.evaluation import verdict as verdict_on
from tidegate.contract.contract import parse_contract
from tidegate.documents.verdict import ModelName, Policy, Question, Verdict
from tidegate.process.errors import InputError

promise = parse_contract(
    "{name: t, purpose: p, task: multiclass, event: t, label: desk, label_delay: 1d, horizon: 1d, block: 1d, "
    "tables: {t: {files: t.csv, time: at, columns: {at: {type: timestamp}, y: {type: text, role: outcome}}}}}"
)
batch = batch_of(start="2025-03-01T00:00:00", end="2025-03-29T00:00:00")
question = Question("sha256:x", Policy(margin=0.0, slice_rows=200, calibration=1.0, leak=1.0))
models: tuple[ModelName, ...] = ("challenger", "champion", "linear", "dummy")


def rows(new: int) -> pd.DataFrame:
    """Ten rows on each of 28 days, of which some of the last day are of a new class."""
    at = pd.date_range("2025-03-01", periods=28, freq="D").repeat(10)
    desk = np.array(["a", "b"] * 140, dtype=object)
    desk[len(desk) - new :] = "new"
    return pd.DataFrame({"at": at, "desk": desk, "split": "batch"})


def predictions(given: pd.DataFrame) -> dict[ModelName, pd.DataFrame]:
    """Of models that know a and b, each better than the one after it; the champion has heard of a c."""
    right = (given["desk"] == "a").to_numpy()
    sure = dict(zip(models, (0.9, 0.8, 0.7, 0.5), strict=True))
    found: dict[ModelName, pd.DataFrame] = {}
    for name, value in sure.items():
        a = np.where(right, value, 1 - value)
        found[name] = pd.DataFrame({"a": a, "b": 1 - a})
    found["champion"]["c"] = 0.0
    return found


def evaluated(given: pd.DataFrame, predicted: dict[ModelName, pd.DataFrame]) -> Verdict:
    return verdict_on(Evaluation(promise, batch, question, "1", given, predicted, training_rows=9_999))


def verdict(new: int) -> Verdict:
    given = labelled(rows(new), promise, batch)
    return evaluated(given, predictions(given))


def loss(found: Verdict) -> dict[str, float]:
    return {item.model: item.loss for item in found.models}


def test_a_new_class_costs_every_model_the_same() -> None:
    known, found = loss(verdict(0)), loss(verdict(10))
    assert verdict(10).least_probability == 1e-4
    grown = {name: found[name] * 280 - known[name] * 270 for name in models}
    for name, sure in zip(models, (0.9, 0.8, 0.7, 0.5), strict=True):
        assert known[name] == pytest.approx(-math.log(sure))
        assert grown[name] == pytest.approx(10 * math.log(10_000))


def test_a_new_class_does_not_decide_between_models_that_do_not_know_it() -> None:
    known, found = verdict(0), verdict(10)
    assert (known.accepted, found.accepted) == (True, True)
    for before, after in zip(known.checks, found.checks, strict=True):
        if before.name != "calibration":  # a class that nobody knows is right for nobody
            assert after.number == pytest.approx(before.number * 270 / 280)
            assert after.interval and after.interval[1] - after.interval[0] < 0.1


def test_to_know_the_new_class_is_worth_more_than_its_share() -> None:
    given = labelled(rows(10), promise, batch)
    predicted = predictions(given)
    new = (given["desk"] == "new").to_numpy()
    predicted["challenger"] = predicted["challenger"].mul(np.where(new, 0.5, 1.0), axis=0).assign(new=new * 0.5)
    found = evaluated(given, predicted)
    assert found.models[0].loss * 280 == pytest.approx(-270 * math.log(0.9) - 10 * math.log(0.5))
    assert loss(found)["champion"] == pytest.approx(loss(verdict(10))["champion"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"desk": "a"}, "desk: expected labelled rows of at least two classes, found 280 rows of 1; lengthen"),
        ({"desk": None}, "desk: expected labelled rows of at least two classes, found 0 rows of 0; lengthen"),
        ({"split": "history"}, "desk: expected labelled rows of at least two classes, found 0 rows of 0; lengthen"),
        (
            {"at": pd.Timestamp("2025-03-02")},
            "block 1d: expected labelled rows in at least 5 blocks, found 1; lengthen",
        ),
    ],
)
def test_rows_that_models_cannot_be_evaluated_on_are_one_line(change: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=f"^batch 2025-03-01 to 2025-03-29: {told}") as caught:
        labelled(rows(0).assign(**change), promise, batch)
    assert "\n" not in str(caught.value)
