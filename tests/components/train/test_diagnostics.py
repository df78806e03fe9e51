"""Which rows are learnt from, and what training says about itself."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance

from tidegate.components.train.diagnostics import REPEATS, importances, learning_curve, split_tail
from tidegate.components.train.estimator_pipeline import challenger
from tidegate.components.train.fit import fit
from tidegate.components.train.specification import parse_specification
from tidegate.components.train.window import lone_classes, reference_sample, training_rows, without
from tidegate.contract.contract import Contract, parse_contract
from tidegate.documents.record import LearningPoint
from tidegate.process.errors import InputError
from tidegate.scoring.scores import labels, model_input

kinds = {"planted": "number", "noise": "number", "shop": "category"}
tree = parse_specification(
    "estimator: sklearn.tree.DecisionTreeClassifier\nparameters: {max_depth: 2, random_state: 0}", "binary"
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
        ({}, 4, "history of 4 days before 2024-02-11T16:00:00: expected at least 100 labelled rows, found 96; set"),
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


many = {"back": lambda made: [f"c{number % 201}" for number in range(len(made))]}
labels_at_fault: dict[str, tuple[str, dict[str, Any], str]] = {
    "no label": ("binary", {"back": None}, ": expected at least 100 labelled rows, found 0 in 1,000 rows; look"),
    "hardly a label": (
        "binary",
        {"back": lambda made: made["back"].where(made.index < 99)},
        ": expected at least 100 labelled rows, found 99 in 1,000 rows; look at the label's SQL and at label_delay",
    ),
    "one outcome": ("binary", {"back": False}, ": back: expected both outcomes, found only False; look at its SQL"),
    "one class": ("multiclass", {"back": "a"}, ": back: expected at least two classes, found only a; look at its SQL"),
    "a constant": (
        "regression",
        {"back": 3.5},
        ": back: expected numbers that differ, found only 3.5; look at its SQL",
    ),
    "an identifier": (
        "multiclass",
        many,
        ": back: expected at most 200 classes, found 201; select something coarser, or a number and the task regr",
    ),
}


@pytest.mark.parametrize("case", labels_at_fault)
def test_labels_that_teach_nothing_are_one_line(case: str) -> None:
    task, change, told = labels_at_fault[case]
    with pytest.raises(InputError) as caught:
        training_rows(table().assign(**change), promise(task), "2024-02-11T16:00:00", 365)
    assert str(caught.value).startswith(f"history of 365 days before 2024-02-11T16:00:00{told}")
    assert "\n" not in str(caught.value)


def test_two_hundred_classes_are_not_too_many() -> None:
    given = table().assign(back=lambda made: [f"c{number % 200}" for number in range(len(made))])
    assert len(training_rows(given, promise("multiclass"), "2024-02-11T16:00:00", 365)) == 1000


def test_a_class_of_one_row_is_left_out() -> None:
    given = table().assign(back=["often", "seldom"] * 499 + ["once", "also once"])
    assert lone_classes(given, promise("multiclass")) == ["also once", "once"]
    left = without(given, promise("multiclass"), ["also once", "once"])
    assert (len(left), set(left["back"])) == (998, {"often", "seldom"})
    assert lone_classes(left, promise("multiclass")) == []
    assert lone_classes(given, promise("binary")) == []
    assert without(given, promise("multiclass"), []) is given
    assert lone_classes(given[given["back"] != "often"], promise("multiclass")) == [], "one class would be left"


@pytest.mark.parametrize("estimator", ["ensemble.HistGradientBoostingClassifier", "neural_network.MLPClassifier"])
def test_a_new_class_stops_no_estimator_that_holds_out_rows(estimator: str) -> None:
    text = f"estimator: sklearn.{estimator}\nparameters: {{early_stopping: true, max_iter: 5, random_state: 0}}"
    specification = parse_specification(text, "multiclass")
    given = table().assign(back=lambda made: np.where(made["planted"] > 0, "a", "b").astype(object))
    given.loc[[500, 700, 999], "back"] = ["new", "newer", "newest"]
    head, tail = split_tail(given, "at")
    points, model = learning_curve(
        lambda: challenger(specification, kinds), head, tail, promise("multiclass"), kinds, lambda line: None
    )
    assert [point.rows for point in points] == [99, 199, 398, 798]
    assert set(model.classes_) == {"a", "b"}


def test_a_part_that_is_too_small_has_no_point_and_the_whole_must_fit() -> None:
    text = (
        "estimator: sklearn.ensemble.HistGradientBoostingClassifier\nparameters: {early_stopping: true, max_iter: 5}"
    )
    specification = parse_specification(text, "multiclass")
    given = table(120).assign(back=lambda made: [f"c{number % 6}" for number in range(len(made))])
    head, tail = split_tail(given, "at")

    def curve(rows: pd.DataFrame) -> list[LearningPoint]:
        make = partial(challenger, specification, kinds)
        return learning_curve(make, rows, tail, promise("multiclass"), kinds, lambda line: None)[0]

    assert [point.rows for point in curve(head)] == [96]
    with pytest.raises(
        InputError, match=r"^HistGradientBoostingClassifier: expected an estimator that fits, found The"
    ):
        curve(head.head(30))


def test_the_reference_is_a_sample_in_order_of_all_events_between_the_first_and_last_that_taught() -> None:
    given = table()
    given.loc[::7, "back"] = None
    columns = ["at", "back", *kinds]
    learned = given[given["back"].notna()].iloc[100:700]
    found = reference_sample(given, learned, "at", columns, 100, 7)
    assert list(found) == columns
    assert found["at"].is_monotonic_increasing
    assert len(found) == 100
    pd.testing.assert_frame_equal(found, reference_sample(given, learned, "at", columns, 100, 7))
    lived = given[given["at"].between(learned["at"].iloc[0], learned["at"].iloc[-1])]
    assert lived["back"].isna().any()
    assert set(reference_sample(given, learned, "at", ["at"], 10**6, 7)["at"]) == set(lived["at"])
    given.loc[lived.index[-50] :, "split"] = "batch"
    assert len(reference_sample(given, learned, "at", ["at"], 10**6, 7)) == len(lived) - 50


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
    assert [point.rows for point in points] == [100, 200, 400, 800]
    assert len(told) == 4
    assert points[-1].held_out_loss < points[0].held_out_loss
    assert all(point.train_loss < point.held_out_loss for point in points)
    assert model[-1].tree_.n_node_samples[0] == 800


def test_the_planted_feature_is_found() -> None:
    head, tail = split_tail(table(), "at")
    _, model = learning_curve(lambda: challenger(tree, kinds), head, tail, promise(), kinds, lambda line: None)
    found = importances(model, tail, promise(), kinds, 3)
    assert next(iter(found)) == "planted"
    assert found["planted"] > 0.3
    assert max(found["noise"], found["shop"]) < 0.1
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert found == importances(model, tail, promise(), kinds, 3)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("estimator", ["ensemble.HistGradientBoosting", "tree.DecisionTree"])
def test_importances_are_to_the_bit_those_of_the_whole_pipeline(estimator: str, task: str) -> None:
    given = table()
    given.loc[::5, "noise"] = np.nan
    given.loc[::6, "shop"] = None
    given.loc[999, "shop"] = "only at the end"
    if task == "regression":
        given["back"] = given["planted"] * 2 + given["noise"].fillna(0)
    kind = {"binary": "Classifier", "regression": "Regressor"}[task]
    specification = parse_specification(f"estimator: sklearn.{estimator}{kind}\nparameters: {{random_state: 0}}", task)
    head, tail = split_tail(given, "at")
    contract = promise(task)
    model = fit(challenger(specification, kinds), model_input(head, kinds), labels(head, "back", task))
    rows = tail.sample(len(tail), random_state=3)
    expected = permutation_importance(
        model,
        model_input(rows, kinds),
        labels(rows, "back", task),
        scoring={"binary": "neg_log_loss", "regression": "neg_mean_squared_error"}[task],
        n_repeats=REPEATS,
        random_state=3,
    ).importances_mean
    assert importances(model, tail, contract, kinds, 3) == dict(zip(kinds, expected.tolist(), strict=True))


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
