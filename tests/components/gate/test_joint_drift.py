"""Columns together: what no column shows alone is seen, chance is held to its rate, and hundreds of fits are exact."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from tests.tiers import large
from tidegate.components.gate.classifier import RIDGE, areas, fitted
from tidegate.components.gate.interactions import MOST_TERMS, terms
from tidegate.components.gate.joint_drift import MOST_ROWS, JointDrift, joint_drift, together
from tidegate.components.gate.permutation_test import compare
from tidegate.components.gate.thinning import Thinned, smaller, thinned
from tidegate.documents.signal import TogetherDetail

kinds = {"a": "number", "b": "number", "c": "category", "d": "category"}
shares = {"a": 0.5, "b": 0.3, "c": 0.2, "d": 0.0}


def rows(blocks: int, each: int, seed: int, luck: float = 0.5, tied: float = 0.9) -> tuple[pd.DataFrame, pd.Series]:
    """Rows whose blocks share their luck; `a` and `b` are correlated, and so are `c` and `d`."""
    random = np.random.default_rng(seed)
    count = blocks * each
    day, a = random.normal(0, luck, blocks).repeat(each), random.normal(0, 1, count)
    b = tied * a + np.sqrt(1 - tied**2) * random.normal(0, 1, count)
    c = random.random(count) < 0.5
    d = np.where(random.random(count) < tied, c, random.random(count) < 0.5)
    frame = {"a": a + day, "b": b + day, "c": np.where(c, "x", "y"), "d": np.where(d, "u", "v")}
    return pd.DataFrame(frame), pd.Series(np.arange(blocks).repeat(each))


def drift(
    before: tuple[pd.DataFrame, pd.Series], now: tuple[pd.DataFrame, pd.Series], rate: float = 0.05, seed: int = 0
) -> JointDrift | None:
    return joint_drift(thinned(before[0], now[0], before[1], now[1], 5000, seed), kinds, shares, rate, seed)


def dealt(frame: pd.DataFrame, blocks: pd.Series, column: str) -> pd.DataFrame:
    """The rows where a column is dealt out anew within each block."""
    return frame.assign(**{column: frame.groupby(blocks)[column].sample(frac=1, random_state=1).to_numpy()})


@pytest.mark.parametrize(("column", "pair"), [("b", {"a", "b"}), ("d", {"c", "d"})])
def test_a_broken_correlation_is_seen_and_its_columns_are_named(column: str, pair: set[str]) -> None:
    before, (batch, now) = rows(60, 20, 0), rows(20, 20, 1)
    broken = dealt(batch, now, column)
    alone = compare(before[0], broken, before[1], now, kinds, {}, 0.05, 0).columns
    assert not any(found.significant for found in alone.values())
    found, same = drift(before, (broken, now)), drift(before, (batch, now))
    assert found and same and found.significant and not same.significant
    assert {name for name in kinds if found.shares[name] > 0.25} == pair
    assert sum(found.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "planted",
    [
        lambda batch: {"a": batch["a"] + 2},
        lambda batch: {"a": batch["a"] * 5},
        lambda batch: {"a": batch["a"].mask(batch.index % 2 == 0)},
        lambda batch: {"c": batch["c"].mask(batch.index % 2 == 0)},
        lambda batch: {"a": np.where(batch["c"] == "x", batch["a"] + 1, batch["a"] - 1)},
    ],
)
def test_what_one_column_shows_is_seen_too(planted: Any) -> None:
    before, (batch, now) = rows(60, 20, 0), rows(20, 20, 1)
    found = drift(before, (batch.assign(**planted(batch)), now))
    assert found and found.significant


@pytest.mark.parametrize(("blocks", "each", "count"), [(4, 12, 30), (12, 20, 30), (20, 5, 20)])
def test_without_drift_it_is_beyond_chance_at_most_at_the_rate(blocks: int, each: int, count: int) -> None:
    worlds, rate = 60, 0.1
    found = [drift(rows(count, 10, world), rows(blocks, each, 1000 + world), rate, world) for world in range(worlds)]
    alarms = sum(one is not None and one.significant for one in found)
    assert 1 <= alarms <= 13  # 6 are nominal; three standard deviations


def test_every_labelling_has_the_classifier_that_a_fit_of_its_own_gives() -> None:
    random = np.random.default_rng(0)
    matrix, blocks = random.normal(size=(300, 5)), np.repeat(np.arange(30), 10)
    labellings = random.random((7, 30)) < 0.4
    scores = np.empty((300, 7))
    folds = fitted(matrix, blocks, labellings, random)
    for fold in folds:
        learned = ~fold.rows
        assert not set(blocks[fold.rows]) & set(blocks[learned]), "no block is on both sides"
        own = Ridge(RIDGE * learned.sum(), fit_intercept=False)
        for place, labelling in enumerate(labellings):
            target = labelling[blocks[learned]].astype(float)
            own.fit(matrix[learned], target - target.mean())
            assert fold.coefficients[:, place] == pytest.approx(own.coef_)
            scores[fold.rows, place] = own.predict(matrix[fold.rows])
    assert np.sum([fold.rows for fold in folds], axis=0).tolist() == [1] * 300
    expected = [roc_auc_score(labelling[blocks], scores[:, place]) for place, labelling in enumerate(labellings)]
    assert areas(matrix, blocks, labellings, folds) == pytest.approx(expected, abs=0.002)


def test_scores_that_are_equal_count_as_half() -> None:
    matrix, blocks = np.zeros((40, 1)), np.repeat(np.arange(8), 5)
    labellings = np.arange(8)[None] < 3
    assert areas(matrix, blocks, labellings, fitted(matrix, blocks, labellings, np.random.default_rng(0))) == [0.5]


@pytest.mark.parametrize(
    ("sides", "each", "kept"),
    [
        ((300, 28), 33, (93, 28)),
        ((28, 300), 33, (28, 93)),
        ((59, 28), 170, (59, 28)),
        ((9, 9), 900, (9, 9)),
        ((5000, 3000), 2, (2000, 2000)),
        ((4, 1), 3, (4, 1)),
        ((4, 0), 3, (4, 0)),
    ],
)
def test_a_large_comparison_is_made_smaller_by_whole_blocks(
    sides: tuple[int, int], each: int, kept: tuple[int, int]
) -> None:
    every = [pd.Series(np.repeat(np.arange(count), each), dtype=int) for count in sides]
    frames = [pd.DataFrame({"block": blocks}) for blocks in every]
    found = smaller(Thinned(frames[0], frames[1], every[0], every[1], each), MOST_ROWS, np.random.default_rng(0))
    assert (found.reference_blocks.nunique(), found.batch_blocks.nunique()) == kept
    assert len(found.reference) + len(found.batch) <= MOST_ROWS
    for frame, blocks in ((found.reference, found.reference_blocks), (found.batch, found.batch_blocks)):
        assert frame["block"].tolist() == blocks.tolist()
        assert set(blocks.value_counts()) <= {found.rows_per_block}


def test_many_columns_are_no_more_terms_than_are_affordable() -> None:
    random = np.random.default_rng(0)
    names = [f"n{place}" for place in range(100)]
    frame = pd.DataFrame(random.normal(size=(400, 100)), columns=names)
    weights = {"n7": 0.6, "n70": 0.4}
    seen = terms(frame[:200], frame[200:], dict.fromkeys(names, "number"), weights)
    assert seen.matrix().shape[1] <= MOST_TERMS
    assert seen.pairs[0] == ("n7", "n70"), "first what the champion depends on"
    assert seen.matrix().mean(axis=0) == pytest.approx(0)


def test_the_same_seed_gives_the_same_numbers_and_few_blocks_cannot_tell() -> None:
    before, now = rows(40, 10, 0), rows(12, 10, 1)
    assert drift(before, now, seed=3) == drift(before, now, seed=3) != drift(before, now, seed=4)
    few = drift(before, rows(1, 50, 1))
    assert few and few.critical is None and not few.significant
    assert together(few, shares, 0.1).state == "cannot tell"


@pytest.mark.parametrize("own", [{}, {"a": "number"}])
def test_columns_that_are_constant_or_words_tell_nothing(own: dict[str, str]) -> None:
    (before, first), (batch, now) = rows(40, 10, 0), rows(12, 10, 1)
    sides = thinned(before.assign(a=1.0), batch.assign(a=1.0), first, now, 5000, 0)
    assert joint_drift(sides, own, {}, 0.05, 0) is None


@pytest.mark.parametrize(
    ("found", "limit", "state", "value"),
    [
        (JointDrift(0.9, 0.6, {"a": 0.5, "b": 0.5}), 0.3, "opens", 0.32),
        (JointDrift(0.9, 0.6, {"a": 0.5, "b": 0.5}), 0.4, "shut", 0.32),
        (JointDrift(0.9, 0.95, {"a": 0.5, "b": 0.5}), 0.3, "shut", 0.32),
        (JointDrift(0.9, 0.6, {"d": 1.0}), 0.3, "shut", 0.0),
        (JointDrift(0.4, 0.6, {"a": 0.0}), 0.3, "shut", 0.0),
        (JointDrift(0.9, None, {"a": 1.0}), 0.3, "cannot tell", 0.4),
    ],
)
def test_it_opens_beyond_chance_and_by_what_the_champion_depends_on(
    found: JointDrift, limit: float, state: str, value: float
) -> None:
    signal = together(found, shares, limit)
    assert signal.state == state
    assert signal.value == pytest.approx(value)
    assert isinstance(signal.detail, TogetherDetail) and signal.detail.area == found.area


@settings(max_examples=large(300, 20), deadline=None)
@given(
    st.lists(st.sampled_from([0.0, -0.0, 1.0, 1e300, -1e300, 1e-300, np.inf, -np.inf, np.nan]), min_size=12),
    st.lists(st.sampled_from(["a", "", "(no value)", None, 1, 1.0, True, "1"]), min_size=12),
)
def test_whatever_the_values_it_is_a_number(numbers: list[float], texts: list[Any]) -> None:
    count = min(len(numbers), len(texts))
    frame = pd.DataFrame({"n": numbers[:count], "c": pd.Series(texts[:count], dtype=object)})
    blocks, cut = pd.Series(np.arange(count) // 2), count // 2
    sides = Thinned(frame[:cut], frame[cut:], blocks[:cut], blocks[cut:], 2)
    found = joint_drift(sides, {"n": "number", "c": "category"}, {"n": 1.0}, 0.2, 0)
    assert found is None or 0 <= found.area <= 1
