"""Hostile rows and the server check: every kind of estimator endures them, and what does not is told."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tests.toy import forking
from tidegate import models
from tidegate.components.evaluate.hostile_rows import finite, hostile_check, hostile_rows
from tidegate.components.evaluate.server_check import equality, golden_rows, predicted_afresh, server_check
from tidegate.components.train.estimator_pipeline import baselines, challenger
from tidegate.components.train.fit import fit
from tidegate.components.train.specification import Specification
from tidegate.process.errors import ModelError
from tidegate.scoring.scores import model_input

features = {"size": "number", "shop": "category", "note": "words"}
random = np.random.default_rng(0)
rows = pd.DataFrame(
    {
        "size": random.normal(0, 1, 300),
        "shop": ["a", "b", None] * 100,
        "note": random.choice(["", "late and heavy", "light"], 300),
    },
    index=range(5, 305),
)
label = (rows["size"] + (rows["shop"] == "a") + random.normal(0, 0.5, 300) > 0).to_numpy(np.float64)
names = ("ensemble.HistGradientBoosting", "ensemble.RandomForest", "ensemble.GradientBoosting", "neural_network.MLP")


def fitted(name: str, task: str) -> tuple[Any, dict[str, str]]:
    """A fitted pipeline and its features."""
    kinds = {"size": "number", "shop": "category"}
    kind = "Regressor" if task == "regression" else "Classifier"
    specification = Specification(f"sklearn.{name}{kind}", {"random_state": 0}, {}, "", "")
    target = label.astype(int).astype(str) if task == "multiclass" else label
    return fit(challenger(specification, kinds), model_input(rows, kinds), target), kinds


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", names)
def test_estimators_answer_hostile_rows(name: str, task: str) -> None:
    model, kinds = fitted(name, task)
    hostile = hostile_rows(rows, kinds)
    found = hostile_check(model, hostile, kinds, task)
    assert (found.passed, found.number, found.reason) == (True, 0.0, "gives a finite answer to all 16 hostile rows")


def test_hostile_rows_hold_nulls_infinities_strangers_and_extremes() -> None:
    found = hostile_rows(rows, features)
    assert len(found) == 6 + 4 + 4 + 6
    assert {np.inf, -np.inf, 1e300, -1e300} <= set(found["size"].dropna()) and found["size"].isna().any()
    assert found["shop"].isna().any() and {"", "x" * 10_000} <= set(found["shop"].dropna())
    assert not set(found["shop"].dropna()) <= {"a", "b"}
    assert found.isna().all(axis=1).any()
    assert (found["size"].iloc[6:14] == rows["size"].iloc[0]).all()


class Brittle:
    """Answers wrongly, or not at all, when a size is not ordinary."""

    def __init__(self, answer: float | None) -> None:
        self.answer = answer

    def predict_proba(self, inputs: pd.DataFrame) -> Any:
        odd = inputs["size"].isna().to_numpy()
        if odd.any() and self.answer is None:
            raise ValueError("Input X contains NaN")
        found = np.full(len(odd), 0.5)
        found[odd] = self.answer
        return np.stack([1 - found, found], axis=1)


@pytest.mark.parametrize("answer", [None, np.nan, np.inf, 1.5, -0.1])
def test_a_model_that_breaks_is_refused_and_its_rows_are_counted(answer: float | None) -> None:
    hostile = hostile_rows(rows, {"size": "number"})
    found = hostile_check(Brittle(answer), hostile, {"size": "number"}, "binary")
    assert not found.passed
    assert found.reason == "gives no finite answer to 6 of 12 hostile rows"
    assert hostile_check(Brittle(0.2), hostile, {"size": "number"}, "binary").passed


def test_probabilities_add_up_to_one() -> None:
    assert finite(pd.DataFrame({"a": [0.25], "b": [0.75]}), "multiclass")
    assert not finite(pd.DataFrame({"a": [0.25], "b": [0.7]}), "multiclass")
    assert finite(np.array([-1e9]), "regression") and not finite(np.array([np.inf]), "regression")


@pytest.mark.parametrize(("task", "forked"), [("binary", False), ("multiclass", True)])
def test_a_fresh_process_says_the_same(task: str, forked: bool, tmp_path: Path) -> None:
    model, kinds = fitted("ensemble.RandomForest", task)
    digest = models.save(model, tmp_path / "model.skops")
    golden = golden_rows(rows, hostile_rows(rows, kinds), kinds)
    assert len(golden) == 256 + 16
    with forking() if forked else nullcontext():
        found, costs = server_check(model, tmp_path / "model.skops", digest, golden, kinds, task)
    assert (found.passed, found.reason) == (True, "says the same in a fresh process, of 272 golden rows")
    assert costs["bytes"] == (tmp_path / "model.skops").stat().st_size
    assert set(costs) == {"bytes", "load_milliseconds", "one_row_milliseconds", "golden_milliseconds"}
    assert all(value > 0 for value in costs.values())


def test_a_file_that_says_other_numbers_is_refused(tmp_path: Path) -> None:
    model, kinds = fitted("ensemble.HistGradientBoosting", "binary")
    other = fit(baselines(kinds, "binary")["linear"], rows[list(kinds)], label)
    digest = models.save(other, tmp_path / "model.skops")
    with forking():
        found, _ = server_check(model, tmp_path / "model.skops", digest, rows, kinds, "binary")
    assert not found.passed and found.number > 200
    assert found.reason.startswith("says other numbers in a fresh process, of ")


def test_a_file_that_a_server_does_not_load_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    models.save(LogisticRegression().fit(rows[["size"]], label), path)
    line = r"model.skops: expected an answer of a fresh process, found .*sha256:0"
    with forking(), pytest.raises(ModelError, match=line) as told:
        predicted_afresh(path, f"sha256:{'0' * 64}", rows, {"size": "number"}, "binary")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("served", "differing"),
    [([0.1, 0.2], 0), ([0.1, 0.2 + 1e-14], 0), ([0.1, 0.2 + 1e-9], 1), ([0.1], 2), ([0.1, float("nan")], 1)],
)
def test_twelve_digits_count(served: list[float], differing: int) -> None:
    found = equality(np.array([0.1, 0.2]), np.array(served))
    assert (found.passed, found.number) == (not differing, differing)
