"""Features that tell the label by being filled, alone or two together are found, and honest ones are not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tidegate.components.evaluate.notes import gain_note
from tidegate.components.evaluate.suspicions import suspicions_of
from tidegate.scoring.tasks import TASKS

ROWS = 1200
RANDOM = np.random.default_rng(0)
HONEST = {f"n{index}": RANDOM.normal(size=ROWS) for index in range(8)} | {"kind": RANDOM.choice(list("abc"), ROWS)}
Y = (HONEST["n0"] + RANDOM.normal(0, 0.5, ROWS) > 0).astype(float)
AMOUNT = 2 * HONEST["n0"] + RANDOM.normal(0, 1, ROWS)
CLASS = np.where(Y == 1, "high", np.where(HONEST["n1"] > 1, "middle", "low"))
FEE = RANDOM.normal(50, 10, ROWS)
DELAY = RANDOM.exponential(20, ROWS) - 10
PLANNED = RANDOM.normal(300, 60, ROWS)


def told(columns: dict[str, Any], label: Any, task: str) -> list[str]:
    rows = pd.DataFrame({**HONEST, **columns})
    kinds = {str(name): "category" if rows[name].dtype == object else "number" for name in rows}
    return [
        note.removeprefix("check this: ").removesuffix(": known before the event?")
        for note in suspicions_of(rows, kinds, label, task)
    ]


@pytest.mark.parametrize(
    ("columns", "label", "task", "expected"),
    [
        ({}, Y, "binary", []),
        ({}, AMOUNT, "regression", []),
        ({}, CLASS, "multiclass", []),
        ({"note": np.where(RANDOM.random(ROWS) < 0.5, FEE, np.nan)}, Y, "binary", []),
        ({"fee": FEE, "total": FEE + Y}, Y, "binary", ["fee and total together tell the label"]),
        ({"fee": FEE, "total": FEE + AMOUNT}, AMOUNT, "regression", ["fee and total together tell the label"]),
        (
            {"fee": FEE, "total": np.where(RANDOM.random(ROWS) < 0.1, np.nan, FEE + AMOUNT)},
            AMOUNT,
            "regression",
            ["fee and total together tell the label"],
        ),
        (
            {"planned": PLANNED, "actual": PLANNED + DELAY},
            (DELAY > 15).astype(float),
            "binary",
            ["planned and actual together tell the label"],
        ),
        (
            {"fee": FEE, "code": FEE + pd.Series(CLASS).map({"low": 1, "middle": 2, "high": 3})},
            CLASS,
            "multiclass",
            ["fee and code together tell the label"],
        ),
        ({"level": Y * 10 + RANDOM.normal(0, 1, ROWS)}, Y, "binary", ["level tells the label almost alone"]),
        (
            {"reason": pd.Series(RANDOM.choice(["x", "y"], ROWS)).where((Y == 1) & (RANDOM.random(ROWS) < 0.4))},
            Y,
            "binary",
            ["reason is filled almost only where the label is true"],
        ),
        (
            {"closed": np.where((CLASS == "low") & (RANDOM.random(ROWS) < 0.5), np.nan, FEE)},
            CLASS,
            "multiclass",
            ["closed is empty almost only where the label is low"],
        ),
    ],
)
def test_what_tells_the_label_is_named(columns: dict[str, Any], label: Any, task: str, expected: list[str]) -> None:
    assert told(columns, label, task) == expected


def test_rows_that_are_few_or_all_alike_tell_nothing() -> None:
    rows = pd.DataFrame({"fee": FEE, "total": FEE + Y})
    kinds = {"fee": "number", "total": "number"}
    assert suspicions_of(rows.head(99), kinds, Y[:99], "binary") == []
    assert suspicions_of(rows, kinds, np.ones(ROWS), "binary") == []


def test_many_features_take_a_bounded_number_of_trees() -> None:
    columns = {f"m{index}": RANDOM.normal(size=ROWS) for index in range(60)}
    assert told({**columns, "fee": FEE, "total": FEE + Y}, Y, "binary") == ["fee and total together tell the label"]


@pytest.mark.parametrize(
    ("task", "challenger", "expected"),
    [
        (
            "binary",
            0.05,
            [
                "check this: the challenger explains 92.8% of the loss of a constant prediction, by the gain of "
                "total (67%), fee (30%): known before the event?"
            ],
        ),
        ("binary", 0.1, []),
        ("regression", 0.05, []),
    ],
)
def test_features_of_a_gain_that_is_too_good_are_named(task: str, challenger: float, expected: list[str]) -> None:
    gains = {"total": 2.0, "fee": 0.9, "kind": 0.1, "noise": -0.1}
    assert gain_note(challenger, 0.69, gains, TASKS[task]) == expected
