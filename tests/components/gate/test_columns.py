"""Columns are compared by their values, whatever type a side happens to have, and in bounded memory."""

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.components.gate.columns import MISSING, MOST_CATEGORIES, OTHERS, categories, numbers, presented
from tidegate.components.gate.permutation_test import compare


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 3], [1, np.nan, 3]),
        (pd.array([1, None, 3], dtype="Int64"), [1, np.nan, 3]),
        (pd.array([True, None, False], dtype="boolean"), [1, np.nan, 0]),
        ([True, False, True], [1, 0, 1]),
        ([np.inf, -np.inf, np.nan], [np.nan] * 3),
        ([1e300, -1e300, 5.0], [1e30, -1e30, 5]),
    ],
)
def test_numbers_are_finite_or_missing(values: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(numbers(pd.Series(values)), expected)


def test_minus_zero_is_zero() -> None:
    assert not np.signbit(numbers(pd.Series([-0.0, 0.0]))).any()


@pytest.mark.parametrize(
    ("reference", "batch", "names", "new"),
    [
        (["b", "a"], ["a", "c"], ("a", "b", "c"), ("c",)),
        ([1, 2], [1.0, np.nan], ("1", "2"), ()),
        ([1, 2], pd.array([2, None], dtype="Int64"), ("1", "2"), ()),
        ([True, False], pd.array([None, True], dtype="boolean"), ("False", "True"), ()),
        (pd.Categorical(["a", "b"], ["a", "b", "never"]), ["a", None], ("a", "b"), ()),
        ([1, "1"], ["1", np.inf], ("1 (int)", "1 (str)"), ()),
        ([None, np.nan], [None, "x"], ("x",), ("x",)),
        ([MISSING, OTHERS], [None, "x"], (f"{OTHERS} (str)", f"{MISSING} (str)", "x"), ("x",)),
        (["a"], ["c", "b", "c", "a"], ("a", "b", "c"), ("c", "b")),
    ],
)
def test_equal_values_are_one_category(reference: Any, batch: Any, names: tuple[str, ...], new: Any) -> None:
    found = categories(pd.Series(reference), pd.Series(batch))
    assert (found.names, found.new) == (tuple(sorted(names)), new)


@given(st.lists(st.integers(0, 400), max_size=600), st.lists(st.integers(0, 400), max_size=600))
def test_rare_categories_are_one(reference: list[int], batch: list[int]) -> None:
    texts = [pd.Series([f"c{value}" for value in side], dtype=object) for side in (reference, batch)]
    found = categories(*texts)
    counts = pd.Series([*reference, *batch], dtype=int).value_counts()
    folded = len(counts) > MOST_CATEGORIES
    assert len(found.names) == (MOST_CATEGORIES + 1 if folded else len(counts))
    places = np.concatenate([found.reference, found.batch])
    if folded:
        assert found.names[-1] == OTHERS
        kept = np.bincount(places, minlength=len(found.names))
        assert kept[:-1].min() >= counts.iloc[MOST_CATEGORIES]
        assert kept[-1] == counts.sum() - counts.iloc[:MOST_CATEGORIES].sum()
    assert set(found.new) == {f"c{value}" for value in set(batch) - set(reference)}


def test_what_is_presented_has_no_holes_but_where_the_label_is_not_known() -> None:
    frame = pd.DataFrame({"n": [1.0, np.inf], "c": ["x", None], "label": [1.0, np.nan]}, index=[5, 3])
    kinds = {"n": "number", "c": "category", "label": "category"}
    before, now = presented(frame, frame, kinds)
    assert list(before.index) == [5, 3]
    assert before["c"].tolist() == ["x", MISSING]
    assert before["n"].isna().tolist() == before["label"].isna().tolist() == [False, True]
    pd.testing.assert_frame_equal(before, now)


def test_memory_is_bounded_for_thousands_of_categories_and_numbers() -> None:
    random = np.random.default_rng(0)
    first, second = (
        pd.DataFrame({"n": random.normal(size=10_000), "c": [f"c{n}" for n in random.integers(0, 9000, 10_000)]})
        for _ in range(2)
    )
    blocks = (pd.Series(np.arange(10_000) // 30), pd.Series(np.arange(10_000) // 300))
    tracemalloc.start()
    compare(first, second, *blocks, {"n": "number", "c": "category"}, {}, 0.05, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
