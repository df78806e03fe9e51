"""Free text is dropped with a reason, categories stay, and model.yaml has the last word."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.errors import InputError
from components.train.texts import usable

kinds = {"n": "number", "text": "category", "shop": "category"}


def rows(values: int, count: int = 200) -> pd.DataFrame:
    text = [f"text {number % values}" for number in range(count)]
    return pd.DataFrame({"n": np.arange(count), "text": text, "shop": ["a", None] * (count // 2)})


@pytest.mark.parametrize(
    ("values", "count", "dropped"),
    [(200, 200, True), (101, 200, True), (100, 200, False), (49, 60, False), (50, 60, True), (2000, 100_000, False)],
)
def test_a_text_that_hardly_repeats_is_dropped(values: int, count: int, dropped: bool) -> None:
    kept, reasons = usable(rows(values, count), kinds, {})
    told = {"text": f"free text: {values:,} different values in {count:,} rows"}
    assert reasons == (told if dropped else {})
    assert list(kept) == (["n", "shop"] if dropped else ["n", "text", "shop"])


def test_nulls_and_numbers_are_no_text() -> None:
    given = rows(200).assign(text=None)
    assert usable(given, kinds, {}) == (kinds, {})


def test_a_named_transformer_keeps_it() -> None:
    assert usable(rows(200), kinds, {"transformers": {"text": "category"}}) == (kinds, {})


@pytest.mark.parametrize(
    ("transformers", "told"),
    [
        (
            {"text": "hashing"},
            "transformers: text: expected one of category, which the checked loader can read",
        ),
        ({"n": "category"}, r"transformers: expected a text feature \(text, shop\), found 'n'"),
        ({"x": "category"}, "transformers: expected a text feature .*, found 'x'"),
        (["text"], "transformers: expected features with a transformer, found"),
    ],
)
def test_a_transformer_that_there_is_none_of_is_one_line(transformers: Any, told: str) -> None:
    with pytest.raises(InputError, match=f"^model.yaml: {told}") as caught:
        usable(rows(200), kinds, {"transformers": transformers})
    assert "\n" not in str(caught.value)


def test_nothing_but_free_text_is_one_line() -> None:
    with pytest.raises(InputError, match="expected a feature that can be learned from, found free text only: text"):
        usable(rows(200), {"text": "category"}, {})
