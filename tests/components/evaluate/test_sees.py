"""What a verdict sees: models whose faults are known, on rows whose truth is known."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.components.evaluate.worlds import check, noisy, verdict, world
from tidegate.components.evaluate.checks import Size, against_champion
from tidegate.components.evaluate.leaks import leak
from tidegate.components.evaluate.paired_difference import difference
from tidegate.documents.verdict import Verdict
from tidegate.scoring.scores import losses
from tidegate.scoring.tasks import TASKS

rows = world()
p, y = rows["p"].to_numpy(), rows["y"].to_numpy()
champion = noisy(p, 0.6)


def test_a_challenger_compared_with_itself_is_no_worse() -> None:
    found = verdict(rows, champion, champion)
    assert (found.accepted, found.smallest_difference) == (True, 0.0)
    assert check(found, "champion").interval == (0.0, 0.0)
    assert check(found, "champion").reason.startswith("no worse than the champion")
    assert all(item.interval == (0.0, 0.0) for item in found.slices)


def test_a_model_of_permuted_labels_is_refused_even_without_a_champion() -> None:
    nonsense = np.random.default_rng(5).permutation(p)
    for found in (verdict(rows, nonsense), verdict(rows, nonsense, champion)):
        assert not found.accepted
        assert not check(found, "dummy").passed and not check(found, "linear").passed
        assert "fails against the dummy baseline" in "; ".join(found.reasons)


def test_a_column_that_tells_the_label_is_refused_by_its_name() -> None:
    random = np.random.default_rng(6)
    kept = np.where(y == 1, random.uniform(0, 14, len(y)), random.uniform(14, 90, len(y)))
    table = rows.assign(kept=kept, hint=np.where(random.random(len(y)) < 0.8, y, 1 - y))
    found = leak(table, {"p": "number", "hint": "number", "kept": "number", "shop": "category"}, y, 0.99, None)
    assert not found.passed
    assert found.reason.startswith("a feature tells the label, as a leak does: kept explains 100.0% of")
    clean = leak(table, {"p": "number", "hint": "number", "shop": "category"}, y, 0.99, None)
    assert clean.passed and 0.2 < clean.number < 0.6
    assert leak(table, {"kept": "number"}, y, 1.0, None).passed


def test_a_leak_is_seen_in_classes_texts_numbers_and_with_gaps() -> None:
    random = np.random.default_rng(7)
    classes = random.choice(["a", "b", "c"], 600)
    code = pd.Series(classes).map({"a": "x", "b": "y", "c": None})
    assert not leak(pd.DataFrame({"code": code}), {"code": "category"}, classes, 0.99, None).passed
    each = pd.DataFrame({"code": [f"order {number}" for number in range(600)]})
    assert leak(each, {"code": "category"}, classes, 0.99, None).number < 0.01  # as many values as rows tell nothing
    amount = random.normal(0, 1, 600)
    near = pd.DataFrame({"paid": amount**3, "far": random.normal(0, 1, 600), "none": np.nan})
    found = leak(near, dict.fromkeys(("paid", "far", "none"), "number"), amount, 0.9, np.ones(600))
    assert not found.passed and "paid explains" in found.reason


def test_a_model_worse_in_one_slice_only_is_refused_for_it() -> None:
    east = (rows["shop"] == "east").to_numpy()
    challenger = np.where(east, noisy(p, 2.5, 9), p)
    found = verdict(rows, challenger, noisy(p, 1.8))
    assert check(found, "champion").passed and not found.accepted
    assert check(found, "slices").reason in found.reasons
    assert check(found, "slices").reason.startswith("worse than the champion in 1 of 3 slices: shop east log loss +")
    assert {item.slice: item.passed for item in found.slices} == {
        "shop east": False,
        "shop north": True,
        "shop south": True,
    }
    few = verdict(rows, challenger, noisy(p, 1.8), slice_rows=10_000)
    assert few.slices == () and "slices" not in [item.name for item in few.checks]


def test_a_model_that_is_sure_of_too_much_is_not_calibrated() -> None:
    sure = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + 2.0)))
    found = verdict(rows, sure)
    assert not check(found, "calibration").passed
    interval = check(found, "calibration").interval
    assert interval and interval[0] > 0.1
    assert check(verdict(rows, p), "calibration").number < 0.05
    assert check(verdict(rows, sure, calibration=0.6), "calibration").passed


@pytest.mark.parametrize(
    ("share", "word"),
    [(-1.6, "better"), (-0.3, "cannot tell"), (0.3, "cannot tell"), (1.6, "worse")],
)
def test_a_planted_amount_just_above_and_below_what_the_rows_can_show(share: float, word: str) -> None:
    """The gap of each row is moved so that its mean is a known share of the smallest difference."""
    base, random = losses(y, champion, "binary"), np.random.default_rng(11)
    noise = random.normal(0, 0.3, len(y)) + random.normal(0, 0.02, 28).repeat(60)
    blocks = rows["at"]
    gap = noise - noise.mean()
    shown = difference(base + gap, base, blocks, 0).smallest
    size = Size(len(y), 28.0)
    found = against_champion(difference(base + gap + share * shown, base, blocks, 0), 0.0, TASKS["binary"], size)
    assert found.passed == (word == "better")
    assert found.reason.startswith(word)
    assert word != "cannot tell" or f"could have shown is {shown:.4f}" in found.reason


def test_every_verdict_keeps_its_schema() -> None:
    validator = Draft202012Validator(Verdict.schema())
    validator.check_schema(Verdict.schema())
    for found in (verdict(rows, p), verdict(rows, p, champion), verdict(rows, champion[::-1], p)):
        document = json.loads(json.dumps(found.document()))
        validator.validate(document)
        assert Verdict.of(document, "verdict.json") == found
    document = verdict(rows, p).document()
    wrongs: tuple[dict[str, Any], ...] = (
        {"schema": 1},
        {"seconds": 3.0},
        {"accepted": "yes"},
        {"checks": []},
        {"rows": 1.5},
    )
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            validator.validate(document | wrong)
