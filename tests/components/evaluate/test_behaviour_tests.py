"""Behavioural tests: what they measure of models whose behaviour is known, and what of them is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tidegate.components.evaluate.behaviour_tests import behaves, measured
from tidegate.contract.behaviour import Behaviour, behaviour, check_behaviour
from tidegate.contract.contract import parse_contract
from tidegate.process.errors import InputError

features = {"price": "number", "shop": "category"}
rows = pd.DataFrame({"price": np.linspace(10, 90, 200), "shop": ["north", "south"] * 100})
blocks = pd.Series(np.arange(200) // 10)


class Known:
    """Its probability grows by 0.004 with each unit of price, and by 0.05 in the south."""

    classes_ = ("back", "kept")

    def predict_proba(self, inputs: pd.DataFrame) -> Any:
        found = 0.1 + 0.004 * inputs["price"] + 0.05 * (inputs["shop"] == "south")
        return np.stack([1 - found, found], axis=1)


def found(test: dict[str, Any], task: str = "binary") -> Any:
    (check,) = behaves(Known(), rows, {"a test": behaviour(test)}, features, task, blocks, 0)
    return check


@pytest.mark.parametrize(
    ("test", "number", "passed"),
    [
        ({"test": "invariance", "feature": "shop", "values": ["north", "south"]}, 0.05, False),
        ({"test": "invariance", "feature": "shop", "values": ["north", "south"], "tolerance": 0.06}, 0.05, True),
        ({"test": "invariance", "feature": "shop", "values": ["north", "west"]}, 0.0, True),
        ({"test": "direction", "feature": "price", "values": [10, 50, 100], "effect": "up"}, 0.0, True),
        ({"test": "direction", "feature": "price", "values": [10, 50, 100], "effect": "down"}, 0.36, False),
        ({"test": "direction", "feature": "price", "values": [10, 60, 50], "effect": "up"}, 0.04, False),
        (
            {"test": "direction", "feature": "price", "values": [10, 60, 50], "effect": "up", "tolerance": 0.05},
            0.04,
            True,
        ),
        ({"test": "minimum", "given": {"price": 100, "shop": "south"}, "at_least": 0.54}, 0.55, True),
        ({"test": "minimum", "given": {"price": 100, "shop": "south"}, "at_least": 0.56}, 0.55, False),
        ({"test": "minimum", "given": {"price": 0}, "at_most": 0.13}, 0.125, True),
        ({"test": "minimum", "given": {"price": 0}, "at_most": 0}, 0.125, False),
    ],
)
def test_a_test_finds_what_the_model_does(test: dict[str, Any], number: float, passed: bool) -> None:
    check = found(test)
    assert type(check.limit) is float
    assert (check.name, check.passed) == ("behaviour: a test", passed)
    assert check.number == pytest.approx(number)
    assert check.reason.startswith("passes 'a test': " if passed else "fails 'a test': ")
    assert check.interval is not None and check.interval[0] <= check.number + 1e-12


def test_of_many_classes_one_is_meant() -> None:
    test = {"test": "minimum", "given": {"price": 100, "shop": "south"}, "at_least": 0.5}
    assert found({**test, "class": "kept"}, "multiclass").number == pytest.approx(0.55)
    assert not found({**test, "class": "back"}, "multiclass").passed
    assert found({**test, "class": "unknown"}, "multiclass").number == 0.0


def test_truth_is_spelled_as_the_feature_table_spells_it() -> None:
    table = rows.assign(shop=["true", "false"] * 100)
    test = {"test": "invariance", "feature": "shop", "values": [True, False]}

    class Asked(Known):
        def predict_proba(self, inputs: pd.DataFrame) -> Any:
            assert set(inputs["shop"]) in ({"true"}, {"false"})
            return super().predict_proba(inputs)

    (check,) = behaves(Asked(), table, {"t": behaviour(test)}, features, "binary", blocks, 0)
    assert check.passed


def test_a_row_that_goes_back_is_not_made_up_for_by_one_that_goes_forward() -> None:
    test = Behaviour("direction", "price", (1.0, 2.0), "up")
    assert measured(test, [np.array([0.5, 0.5]), np.array([0.9, 0.4])]).tolist() == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("{test: invarance}", "t.test: expected one of invariance, direction, minimum, found 'invarance'"),
        ("{test: invariance}", "t: expected all of feature, values of the test invariance, found no feature, values"),
        (
            "{test: direction, feature: x, values: [1, 2]}",
            "t: expected all of feature, values, effect of the test direction, found no effect",
        ),
        ("{test: invariance, feature: x, values: [1]}", "t.values: expected at least 2 values, found"),
        ("{test: invariance, feature: x, values: [1, 1]}", "t.values: expected values that differ, found 1, 1"),
        ("{test: invariance, feature: x, values: [1, 2], at_most: 1}", "t: expected one of feature, values, toleran"),
        ("{test: invariance, feature: x, values: [1, 2], tolerance: 2}", "t.tolerance: expected a probability, 0 to"),
        ("{test: minimum, given: {x: 1}}", "t: expected either at_least or at_most, found none"),
        ("{test: minimum, given: {x: 1}, at_least: 0, at_most: 1}", "t: expected either at_least or at_most, found b"),
        ("{test: minimum, given: {}, at_least: 0}", "t.given: expected at least 1 name, found"),
        ("{test: minimum, given: {x: 1}, at_least: 1.5}", "t.at_least: expected a probability, 0 to 1, found 1.5"),
        ("{test: minimum, given: {x: 1}, at_least: 0, class: a}", "t.class: expected no class in the task binary"),
        ("{test: minimum, given: {x: [1]}, at_least: 0}", "t.given.x: expected a text or a number or true or false"),
    ],
)
def test_a_test_that_cannot_be_is_one_line(test: str, told: str) -> None:
    text = f"""\
name: t
purpose: p
task: binary
event: t
label: y
label_delay: 1d
horizon: 1d
block: 1d
behaviour:
  t: {test}
tables: {{t: {{files: t.csv, time: at, columns: {{at: {{type: timestamp}}, z: {{type: text, role: outcome}}}}}}}}
"""
    with pytest.raises(InputError) as caught:
        parse_contract(text)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("contract.yaml:10: behaviour.") and told in line


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ({"test": "invariance", "feature": "prise", "values": [1, 2]}, "'prise' .did you mean 'price'.."),
        ({"test": "minimum", "given": {"price": "much"}, "at_least": 0.5}, "price: expected numbers, found much"),
        ({"test": "minimum", "given": {"price": True}, "at_least": 0.5}, "price: expected numbers, found True"),
    ],
)
def test_a_test_of_something_else_is_one_line(test: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=rf"^contract.yaml: behaviour.t: .*{told}"):
        check_behaviour({"t": behaviour(test)}, features)
    check_behaviour({"t": behaviour({"test": "minimum", "given": {"shop": 5}, "at_least": 0})}, features)
