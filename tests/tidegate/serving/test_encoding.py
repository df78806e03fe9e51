"""The encoding without pandas gives the estimator the same input as the fitted pipeline, or is not used."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tidegate.components.train.estimator_pipeline import baselines, challenger
from tidegate.components.train.specification import parse_specification
from tidegate.scoring.scores import model_input, predict
from tidegate.serving.encoding import encoding, frame_of

KINDS = {"price": "number", "shop": "category", "rate": "number", "town": "category"}
COUNT = 400


def columns() -> dict[str, list[Any]]:
    random = np.random.default_rng(0)
    towns = [f"town {number}" for number in range(250)]  # more than the encoder gives a code of their own
    return {
        "price": [None if share < 0.1 else float(share * 1e3) for share in random.random(COUNT)],
        "shop": [*random.choice(np.array(["north", "south", None], dtype=object), COUNT)],
        "rate": [*random.choice([0.5, 1e300, -1e300, 0.0], COUNT).tolist()],
        "town": [*random.choice(np.array([*towns, None], dtype=object), COUNT)],
    }


def label(task: str, given: dict[str, list[Any]]) -> Any:
    known = np.array([(price or 0) > 500 for price in given["price"]])
    south = np.array([shop == "south" for shop in given["shop"]])
    return {"binary": known, "multiclass": np.where(known, "a", np.where(south, "b", "c")), "regression": known * 1.5}[
        task
    ]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_same_to_the_last_bit(task: str) -> None:
    given, kind = columns(), "Regressor" if task == "regression" else "Classifier"
    named = parse_specification(f"estimator: sklearn.ensemble.HistGradientBoosting{kind}\n", task)
    pipeline = challenger(named, KINDS).fit(model_input(frame_of(given, KINDS), KINDS), label(task, given))
    found = encoding(pipeline, KINDS, task, given)
    assert found is not None
    asked = {
        "price": [*given["price"], float("inf")],
        "shop": [*given["shop"], "never seen"],
        "rate": [*given["rate"], -float("inf")],
        "town": [*given["town"], ""],
    }
    expected = predict(pipeline, frame_of(asked, KINDS), KINDS, task)
    assert np.array_equal(np.asarray(found.predict(asked, task)), np.asarray(expected))
    if isinstance(expected, pd.DataFrame):
        assert [*expected.columns] == ["a", "b", "c"]


def test_another_pipeline_is_asked_itself() -> None:
    given = columns()
    linear = baselines(KINDS, "binary")["linear"]
    linear.fit(model_input(frame_of(given, KINDS), KINDS), label("binary", given))
    assert encoding(linear, KINDS, "binary", given) is None
