"""Chance is what whole blocks do that change sides: told at the rate, and not told where it cannot be."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiers import large
from tidegate.components.gate.permutation_test import Column, PermutationTest, compare
from tidegate.components.gate.thinning import thinned

root = Path(__file__).parents[3]
kinds = {"n": "number", "c": "category", "label": "category"}


def rows(blocks: int, each: int, seed: int, luck: float = 0.5) -> tuple[pd.DataFrame, pd.Series]:
    """Rows whose blocks share their luck in every column."""
    random = np.random.default_rng(seed)
    day = random.normal(0, luck, blocks).repeat(each)
    count = blocks * each
    return (
        pd.DataFrame(
            {
                "n": day + random.normal(0, 1, count),
                "c": np.where(random.normal(0, 1, count) + day > 0, "x", "y"),
                "label": (random.normal(0, 1, count) + day > 0).astype(float),
            }
        ),
        pd.Series(np.arange(blocks).repeat(each)),
    )


def compared(
    batch: pd.DataFrame, blocks: pd.Series, reference: pd.DataFrame | None = None, rate: float = 0.05, seed: int = 0
) -> PermutationTest:
    before, own = rows(40, 10, 99)
    frame = before if reference is None else reference
    return compare(frame, batch, own, blocks, kinds, {}, rate, seed)


@pytest.mark.parametrize(
    ("planted", "column"),
    [
        (lambda batch: {"n": batch["n"] + 2}, "n"),
        (lambda batch: {"n": batch["n"] * 5}, "n"),
        (lambda batch: {"n": batch["n"].mask(batch.index % 10 < 7)}, "n"),
        (lambda batch: {"n": np.nan}, "n"),
        (lambda batch: {"n": np.inf}, "n"),
        (lambda batch: {"n": 1e300}, "n"),
        (lambda batch: {"n": -7.0}, "n"),
        (lambda batch: {"c": "new"}, "c"),
        (lambda batch: {"c": None}, "c"),
        (lambda batch: {"c": [f"id {n}" for n in range(len(batch))]}, "c"),
        (lambda batch: {"label": 1.0}, "label"),
    ],
)
def test_what_is_planted_is_beyond_chance_and_nothing_else(planted: Any, column: str) -> None:
    batch, blocks = rows(12, 10, 5)
    found = compared(batch.assign(**planted(batch)), blocks).columns
    assert [name for name in kinds if found[name].significant] == [column]
    for one in found.values():
        assert one.score is not None
        assert one.critical is not None
        assert np.isfinite([one.score, one.critical]).all()


def test_the_same_rows_are_within_chance() -> None:
    before, blocks = rows(40, 10, 99)
    found = compare(before, before, blocks, blocks, kinds, {}, 0.05, 0)
    assert [column.score for column in found.columns.values()] == pytest.approx([0.0] * 3)
    assert not any(column.significant for column in found.columns.values())
    assert (found.reference_blocks, found.batch_blocks, found.relabellings) == (40, 40, 800)


@pytest.mark.parametrize(
    ("values", "score"),
    [((3.0, 3.0), 0.0), ((np.nan, np.nan), 0.0), ((np.nan, 3.0), 1.0), ((3.0, np.inf), 1.0), ((0.0, -0.0), 0.0)],
)
def test_constant_and_empty_columns(values: tuple[float, float], score: float) -> None:
    (before, own), (batch, blocks) = rows(90, 5, 0), rows(12, 5, 1)
    found = compare(before.assign(n=values[0]), batch.assign(n=values[1]), own, blocks, kinds, {}, 0.05, 0)
    assert found.columns["n"].score == score
    assert found.columns["n"].significant == (score > 0)


def test_nulls_and_new_categories_are_told() -> None:
    batch, blocks = rows(12, 10, 5)
    numbers = batch["n"].mask(batch.index % 4 == 0, np.inf)
    texts = batch["c"].mask(batch.index % 4 == 0).where(batch.index % 5 != 1, "b").where(batch.index % 10 != 1, "a")
    found = compared(batch.assign(n=numbers, c=texts), blocks).columns
    assert found["n"].null_shift == pytest.approx(0.25)
    assert found["c"].null_shift == pytest.approx(0.2, abs=0.1)
    assert found["c"].new == ("a", "b")
    assert compared(*rows(12, 10, 5)).columns["c"].new == ()


@pytest.mark.parametrize(
    ("sides", "rate", "tells"),
    [
        ((40, 12), 0.05, True),
        ((40, 1), 0.05, False),
        ((1, 40), 0.05, False),
        ((8, 2), 0.05, True),  # 45 labellings
        ((7, 2), 0.05, False),  # 36 of at least 40
        ((7, 2), 0.1, True),
        ((7, 2), 0.001, False),
        ((12, 12), 0.001, True),
        ((9000, 600), 0.05, True),
    ],
)
def test_too_few_blocks_cannot_tell(sides: tuple[int, int], rate: float, tells: bool) -> None:
    (before, own), (batch, blocks) = rows(sides[0], 3, 0), rows(sides[1], 3, 1)
    found = compare(before, batch.assign(n=50.0), own, blocks, {"n": "number"}, {}, rate, 0)
    assert found.columns["n"].score == pytest.approx(50 / before["n"].std(ddof=0), rel=0.05)
    assert (found.columns["n"].critical is not None, found.relabellings > 0) == (tells, tells)
    assert found.columns["n"].significant == tells


def test_labels_that_are_not_known_yet_do_not_count() -> None:
    batch, blocks = rows(12, 10, 5)
    late = batch["label"].mask(blocks >= 4)
    known = compare(
        rows(40, 10, 99)[0], batch[blocks < 4], rows(40, 10, 99)[1], blocks[blocks < 4], kinds, {}, 0.05, 0
    )
    found = compared(batch.assign(label=late), blocks).columns["label"]
    assert found.score == known.columns["label"].score
    assert found.null_shift == pytest.approx(8 / 12)
    assert not found.significant
    without = compared(batch.assign(label=np.nan), blocks).columns["label"]
    assert without == Column(None, None, "jensenshannon", 1.0)
    one = compared(batch.assign(label=batch["label"].mask(blocks > 0)), blocks)
    assert one.columns["label"].score is not None
    assert one.columns["label"].critical is None
    assert one.columns["n"].critical is not None


@pytest.mark.parametrize(("blocks", "each", "latest"), [(4, 12, 2), (10, 5, 9), (3, 1, 3), (12, 20, 11)])
def test_without_drift_any_column_is_beyond_chance_at_most_at_the_rate(blocks: int, each: int, latest: int) -> None:
    """Batches of few rows and blocks, of blocks of other sizes than the reference's, with labels still to come."""
    alarms, worlds, rate = 0, 120, 0.1
    for world in range(worlds):
        (before, own), (batch, now) = rows(30, 20, world), rows(blocks, each, 1000 + world)
        batch["label"] = batch["label"].mask(now >= latest)
        sides = thinned(before, batch, own, now, 5000, world)
        frames = (sides.reference, sides.batch, sides.reference_blocks, sides.batch_blocks)
        alarms += any(column.significant for column in compare(*frames, kinds, {}, rate, world).columns.values())
    assert alarms <= 22  # 12 are nominal; three standard deviations
    assert alarms >= 1


@settings(max_examples=large(1000, 30), deadline=None)
@given(
    st.lists(st.sampled_from([0.0, -0.0, 1.0, 1e300, -1e300, 1e-300, np.inf, -np.inf, np.nan]), min_size=12),
    st.lists(st.sampled_from(["a", "", "(no value)", "(all others)", None, 1, 1.0, True, "1"]), min_size=12),
    st.sampled_from([("wasserstein", "jensenshannon"), ("psi", "psi"), ("hellinger", "hellinger")]),
)
def test_whatever_the_values_the_scores_are_numbers(
    numbers: list[float], texts: list[Any], methods: tuple[str, str]
) -> None:
    count = min(len(numbers), len(texts))
    frame = pd.DataFrame({"n": numbers[:count], "c": pd.Series(texts[:count], dtype=object)})
    blocks, cut = pd.Series(np.arange(count) // 2), count // 2
    own = {"n": "number", "c": "category"}
    chosen = dict(zip(("number", "category"), methods, strict=True))
    sides = (frame[:cut], frame[cut:], blocks[:cut], blocks[cut:])
    for column in compare(*sides, own, chosen, 0.2, 0).columns.values():
        assert column.score is not None
        assert np.isfinite(column.score)
        assert column.score >= 0
        assert column.critical is None or np.isfinite(column.critical)


in_a_process = """
import numpy as np, pandas as pd
from tidegate.components.gate.permutation_test import compare
random = np.random.default_rng(0)
sides = [
    pd.DataFrame({"n": random.normal(size=rows), "m": random.integers(0, 9, rows), "c": random.choice([*"ab"], rows)})
    for rows in (9000, 6000)
]
blocks = [pd.Series(random.integers(0, count, len(side))) for side, count in zip(sides, (200, 28))]
print(compare(*sides, *blocks, {"n": "number", "m": "number", "c": "category"}, {}, 0.05, 3))
"""


def test_the_bytes_are_the_same_for_any_number_of_threads() -> None:
    found = [
        subprocess.run(
            [sys.executable, "-c", in_a_process],
            cwd=root,
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "4")
    ]
    assert found[0] == found[1] == found[2] != b""
