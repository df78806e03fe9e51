"""What the page of a decision draws: shares that add up, columns that matter, this batch among the earlier ones."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import decisions
from tidegate.components.gate import standing
from tidegate.components.gate.pictures import Bars, Histogram, Picture, leading_signals, pictures


def drawn(reference: list[Any], batch: list[Any], kind: str) -> Picture:
    before, now = (pd.DataFrame({"x": pd.Series(side, dtype=object)}) for side in (reference, batch))
    return pictures(before, now, {"x": kind}, [decisions.feature("x", 1.0, 1.0)])["drift of x"]


def test_a_histogram_counts_every_row_that_has_a_value() -> None:
    found = drawn([*range(100)], [*range(50), *[None] * 25, *[np.inf] * 25], "number")
    assert isinstance(found, Histogram) and found.missing == (0.0, 0.5)
    assert sum(found.reference) * found.top == pytest.approx(1, abs=0.01)
    assert sum(found.batch) * found.top == pytest.approx(0.5, abs=0.01)
    assert max(*found.reference, *found.batch) == 1
    assert sum(found.batch[12:]) < 0.2 < sum(found.reference[12:])


def test_few_numbers_are_bars_in_their_order() -> None:
    found = drawn([10.0, 2.0, -3.0, 2.0], [2.0, 2.0, 7.0, None], "number")
    assert isinstance(found, Bars)
    assert [row.text for row in found.rows] == ["−3", "2", "7", "10"]
    assert [row.reference for row in found.rows] == [0.25, 0.5, 0, 0.25]
    assert [row.batch for row in found.rows] == [0, 0.5, 0.25, 0] and found.rows[2].new


def test_many_categories_are_told_as_one() -> None:
    names = [f"c{place:02}" for place in range(30) for _ in range(30 - place)]
    found = drawn(names, names, "category")
    assert isinstance(found, Bars)
    assert [row.text for row in found.rows][:2] == ["c00", "c01"] and found.rows[-1].text == "22 others"
    assert sum(row.batch for row in found.rows) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("kind", ["number", "category"])
@pytest.mark.parametrize(
    "sides", [([], []), ([None], [None]), ([1.0] * 9, [1.0]), ([1.0], [None]), ([], [*range(50)])]
)
def test_what_hardly_is_a_column_is_a_picture_too(sides: tuple[list[Any], list[Any]], kind: str) -> None:
    found = drawn(*sides, kind)
    assert all(0 <= share <= 1 for share in found.missing)
    assert isinstance(found, Histogram) or all(0 <= row.batch <= 1 for row in found.rows)


def test_what_opens_the_gate_comes_first_and_the_nearest_fill_up() -> None:
    names = [signal.name for signal in leading_signals(decisions.compared())]
    assert names[:2] == ["drift of temp", "drift of predictions"] and names[2] == "drift of wind_speed"
    assert len(names) == 6 and "drift of seats" not in names
    loud = [decisions.feature(f"x{place}", 2.0, 0.5, "opens") for place in range(100)]
    assert len(leading_signals(loud)) == 9


def test_the_quality_is_that_of_the_batches_whose_loss_is_known() -> None:
    found = standing.quality(decisions.decision("retrain", decisions.compared()), decisions.past(5))
    assert found is not None and found.now and len(found.dots) == 5
    last = found.dots[-1]
    assert last.opened and last.x > max(dot.x for dot in found.dots[:-1])
    assert found.reigns[-1].promised is not None and last.y > found.reigns[-1].promised  # it was promoted for less
    assert [change["text"] for change in found.changes] == ["version 2", "1"]
    assert standing.quality(decisions.decision("retrain"), decisions.past(1)) is None


def test_each_champion_has_its_own_promise_and_begins_between_two_batches() -> None:
    past = [replace(each, loss=0.5) for each in decisions.past(8)]
    found = standing.quality(decisions.decision("retrain"), past)
    assert found is not None and [reign.version for reign in found.reigns] == ["1", "2"]
    first, second = found.reigns
    assert first.promised is not None and second.promised is not None and first.promised < second.promised
    assert found.dots[3].x < first.end == second.start < found.dots[4].x
    assert [change["at"] for change in found.changes] == [second.start]
    assert (first.start, second.end) == (0.0, 1.0)
    older = [replace(each, champion=None) for each in past[:4]]
    unknown = standing.quality(decisions.decision("retrain"), [*older, *past[4:]])
    assert unknown is not None and unknown.changes == []


def test_the_shares_of_a_label_are_those_of_the_rows_that_have_one() -> None:
    label = pd.DataFrame({"late": [1.0, 1.0, 0.0, None]}), pd.DataFrame({"late": [1.0, 0.0, None, None]})
    signal = replace(decisions.compared()[3], column="late")
    (found,) = pictures(*label, {"late": "category"}, [signal]).values()
    assert isinstance(found, Bars) and found.missing == (0, 0)
    assert {row.text: (row.reference, row.batch) for row in found.rows} == {"1": (0.6667, 0.5), "0": (0.3333, 0.5)}


def test_a_cooldown_that_is_over_is_no_excess() -> None:
    past = [replace(each, signals={"cooldown": (31, 7), "age": (90, 180)}) for each in decisions.past(3)]
    found = standing.strips(decisions.decision("keep", decisions.compared()), past)
    assert [strip.name for strip in found] == ["age"]


def test_a_strip_counts_the_earlier_batches_below() -> None:
    past = decisions.past(3)
    signals = [{"decay": (value, 0.02), "age": (None, 180), "budget": (1, 0)} for value in (0.001, 0.03, 90.0)]
    past = [replace(each, signals=own) for each, own in zip(past, signals, strict=True)]
    (strip,) = standing.strips(decisions.decision("retrain", decisions.compared()), past)
    assert (strip.name, strip.above, strip.word) == ("decay", 2, "opens the gate")
    assert strip.dots[-1] == 1.0 and strip.dots[0] < standing.SCALE.at(1) < strip.now
