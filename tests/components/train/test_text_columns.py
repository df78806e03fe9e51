"""Free text is dropped with a reason, categories stay, and model.yaml has the last word."""

import numpy as np
import pandas as pd
import pytest

from tidegate.components.train.specification import Specification, parse_specification
from tidegate.components.train.text_columns import usable
from tidegate.process.errors import InputError

HEAD = """\
estimator: sklearn.tree.DecisionTreeClassifier
parameters:
  max_depth: 2
transformers:
"""
kinds = {"n": "number", "text": "category", "shop": "category"}


def asked(**transformers: str) -> Specification:
    """What model.yaml says that names transformers."""
    return parse_specification(HEAD + "".join(f"  {name}: {how}\n" for name, how in transformers.items()), "binary")


def rows(values: int, count: int = 200) -> pd.DataFrame:
    text = [f"text {number % values}" for number in range(count)]
    return pd.DataFrame({"n": np.arange(count), "text": text, "shop": ["a", None] * (count // 2)})


@pytest.mark.parametrize(
    ("values", "count", "dropped"),
    [(200, 200, True), (101, 200, True), (100, 200, False), (49, 60, False), (50, 60, True), (2000, 100_000, False)],
)
def test_a_text_that_hardly_repeats_is_dropped(values: int, count: int, dropped: bool) -> None:
    kept, reasons = usable(rows(values, count), kinds, asked())
    told = {"text": f"free text: {values:,} different values in {count:,} rows"}
    assert reasons == (told if dropped else {})
    assert list(kept) == (["n", "shop"] if dropped else ["n", "text", "shop"])


def test_nulls_and_numbers_are_no_text() -> None:
    given = rows(200).assign(text=None)
    assert usable(given, kinds, asked()) == (kinds, {})


@pytest.mark.parametrize("how", ["category", "words"])
def test_a_named_transformer_keeps_it(how: str) -> None:
    assert usable(rows(200), kinds, asked(text=how)) == (kinds | {"text": how}, {})
    assert usable(rows(200), {"text": "category"}, asked(text=how)) == ({"text": how}, {})


@pytest.mark.parametrize("how", ["standard", "robust", "quantile"])
def test_a_number_stays_a_number(how: str) -> None:
    assert usable(rows(20), kinds, asked(n=how)) == (kinds, {})


@pytest.mark.parametrize(
    ("transformers", "told"),
    [
        (
            {"text": "hashing"},
            "5: transformers.text: expected one of category, words, which the checked loader can read, for a text, "
            "found 'hashing'; correct it",
        ),
        (
            {"text": "word"},
            "5: transformers.text: expected one of .*, found 'word' \\(did you mean 'words'\\?\\); correct it",
        ),
        (
            {"n": "category"},
            "5: transformers.n: expected one of standard, robust, quantile, which the checked loader can read, "
            "for a number, found 'category'; correct it",
        ),
        (
            {"tex": "words"},
            r"5: transformers: expected a feature \(n, text, shop\), found 'tex' .*; correct it",
        ),
    ],
)
def test_a_transformer_that_there_is_none_of_is_one_line(transformers: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=f"^model.yaml:{told}$") as caught:
        usable(rows(200), kinds, asked(**transformers))
    assert "\n" not in str(caught.value)


def test_nothing_but_free_text_is_one_line() -> None:
    with pytest.raises(InputError, match="expected a feature that can be learned from, found free text only: text"):
        usable(rows(200), {"text": "category"}, asked())
