"""Which rows are learnt from, and what training says about itself."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.contract import Contract, parse_contract
from components.errors import InputError
from components.train.building import challenger
from components.train.learning import importances, learning_curve, split_tail
from components.train.pictures import importance_picture, learning_picture
from components.train.specification import parse_specification
from components.train.window import reference_sample, training_rows

kinds = {"planted": "number", "noise": "number", "shop": "category"}
tree = parse_specification(
    "estimator: sklearn.tree.DecisionTreeClassifier\nparameters: {max_depth: 2, random_state: 0}"
)


def promise(task: str = "binary", weight: str | None = None) -> Contract:
    """A contract of a table of hours, labelled `back`."""
    return parse_contract(
        f"{{name: t, purpose: p, task: {task}, event: t, label: back, label_delay: 1d, horizon: 1d, block: 1d, "
        + (f"weight: {weight}, " if weight else "")
        + "tables: {t: {files: t.csv, time: at, columns: {at: {type: timestamp}, "
        + "back: {type: boolean, role: label}}}}}"
    )


def table(rows: int = 1000) -> pd.DataFrame:
    random = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "at": pd.date_range("2024-01-01", periods=rows, freq="h"),
            "planted": random.normal(size=rows),
            "noise": random.normal(size=rows),
            "shop": random.choice(["a", "b"], rows),
            "split": "history",
        }
    )
    return made.assign(back=(made["planted"] + random.normal(0, 0.3, rows) > 0).astype(object))


def test_the_window_is_labelled_history_before_the_batch() -> None:
    given = table()
    given.loc[given["at"] >= "2024-02-01", "split"] = "batch"
    given.loc[::7, "back"] = None
    found = training_rows(given, promise(), "2024-02-01T00:00:00", 10)
    expected = given[(given["at"] >= "2024-01-22") & (given["at"] < "2024-02-01") & given["back"].notna()]
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True))


@pytest.mark.parametrize(
    ("change", "days", "told"),
    [
        ({}, 4, "history of 4 days before 2024-02-11T16:00:00: expected at least 100 labelled rows, found 96; move"),
        ({"back": None}, 365, "expected at least 100 labelled rows, found 0"),
        ({"split": "batch"}, 365, "expected at least 100 labelled rows, found 0"),
        (
            {"back": True},
            365,
            "history of 365 days before 2024-02-11T16:00:00: back: expected both outcomes, found only True",
        ),
    ],
)
def test_rows_that_teach_nothing_are_one_line(change: dict[str, Any], days: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        training_rows(table().assign(**change), promise(), "2024-02-11T16:00:00", days)


def test_the_reference_is_a_sample_in_order_with_predictions() -> None:
    given = table()
    found = reference_sample(given, np.arange(1000.0), ["at", "back", *kinds], 100, 7)
    assert list(found) == ["at", "back", *kinds, "prediction"]
    assert found["at"].is_monotonic_increasing
    assert len(found) == 100
    assert (found["prediction"].to_numpy() == pd.Index(given["at"]).get_indexer(pd.Index(found["at"]))).all()
    pd.testing.assert_frame_equal(found, reference_sample(given, np.arange(1000.0), ["at", "back", *kinds], 100, 7))
    assert len(reference_sample(given, np.arange(1000.0), ["at"], 10**6, 7)) == 1000


def test_the_tail_is_the_last_fifth_of_whole_moments() -> None:
    given = table().assign(at=lambda made: made["at"].dt.floor("D"))
    head, tail = split_tail(given, "at")
    assert head["at"].max() < tail["at"].min()
    assert len(head) + len(tail) == 1000
    assert 200 <= len(tail) < 200 + 24


def test_the_curve_falls_and_its_last_model_saw_the_whole_head() -> None:
    head, tail = split_tail(table(), "at")
    told: list[str] = []
    points, model = learning_curve(lambda: challenger(tree, kinds), head, tail, promise(), kinds, told.append)
    assert [point["rows"] for point in points] == [100, 200, 400, 800]
    assert len(told) == 4
    assert points[-1]["held_out_loss"] < points[0]["held_out_loss"]
    assert all(point["train_loss"] < point["held_out_loss"] for point in points)
    assert model[-1].tree_.n_node_samples[0] == 800
    assert learning_picture(points).axes[0].get_title() == "Learning curve"


def test_the_planted_feature_is_found() -> None:
    head, tail = split_tail(table(), "at")
    _, model = learning_curve(lambda: challenger(tree, kinds), head, tail, promise(), kinds, lambda line: None)
    found = importances(model, tail, promise(), kinds, 3)
    assert next(iter(found)) == "planted"
    assert found["planted"] > 0.3
    assert max(found["noise"], found["shop"]) < 0.1
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert found == importances(model, tail, promise(), kinds, 3)
    assert len(importance_picture(found).axes[0].patches) == 3


@pytest.mark.parametrize("one", ["the head", "the tail", "one moment"])
def test_one_outcome_on_one_side_teaches_no_importance(one: str) -> None:
    given = table()
    cut = len(given) * 4 // 5
    if one == "the head":
        given.loc[: cut - 1, "back"] = False
    elif one == "the tail":
        given.loc[cut:, "back"] = False
    else:
        given["at"] = pd.Timestamp("2024-01-01")
    head, tail = split_tail(given, "at")
    points, model = learning_curve(lambda: challenger(tree, kinds), head, tail, promise(), kinds, lambda line: None)
    assert importances(model, tail, promise(), kinds, 0) == dict.fromkeys(kinds, 0.0)
    assert len(points) == (4 if one == "the tail" else 0)
