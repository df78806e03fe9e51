"""Thinned blocks hold alike many rows on both sides, and nothing but rows of their own."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.components.gate.thinning import Thinned, thinned

sizes = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def side(rows_of_blocks: list[int], first: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    blocks = pd.Series(np.repeat(np.arange(len(rows_of_blocks)) + first, rows_of_blocks), dtype=int)
    frame = pd.DataFrame({"n": np.arange(len(blocks))}, index=np.arange(len(blocks)) * 7)
    return frame.sample(frac=1, random_state=0), blocks.set_axis(frame.index).sample(frac=1, random_state=0)


def thin(reference: list[int], batch: list[int], rows: int = 1000, seed: int = 1) -> Thinned:
    (before, before_blocks), (now, now_blocks) = side(reference), side(batch, 100)
    return thinned(before, now, before_blocks, now_blocks, rows, seed)


def counts(blocks: pd.Series) -> list[int]:
    return [int(count) for count in blocks.value_counts(sort=False).sort_index()]


@pytest.mark.parametrize(
    ("reference", "batch", "rows", "most", "kept"),
    [
        ([33] * 9, [400] * 4, 1000, 33, ([33] * 9, [33] * 4)),
        ([900] * 3, [5] * 6, 1000, 5, ([5] * 3, [5] * 6)),
        ([10, 20, 30], [100], 1000, 20, ([10, 20, 20], [20])),
        ([10, 20, 30], [1, 100, 100], 1000, 20, ([10, 20, 20], [20, 20])),
        ([100] * 4, [100] * 2, 40, 10, ([10] * 4, [10] * 2)),
        ([2, 100, 100], [100] * 2, 42, 20, ([20, 20], [20] * 2)),
        ([5] * 8, [5] * 3, 4, 1, ([1] * 4, [1] * 3)),
        ([3], [], 10, 3, ([3], [])),
        ([], [], 10, 1, ([], [])),
    ],
)
def test_a_block_keeps_at_most_the_rows_of_a_typical_one(
    reference: list[int], batch: list[int], rows: int, most: int, kept: tuple[list[int], list[int]]
) -> None:
    found = thin(reference, batch, rows)
    assert found.rows_per_block == most
    assert (counts(found.reference_blocks), counts(found.batch_blocks)) == kept


@given(sizes, sizes, st.integers(1, 300), st.integers(0, 9))
def test_rows_are_their_own_in_their_own_order(reference: list[int], batch: list[int], rows: int, seed: int) -> None:
    found = thin(reference, batch, rows, seed)
    given_sides = (side(reference), side(batch, 100))
    kept_sides = ((found.reference, found.reference_blocks), (found.batch, found.batch_blocks))
    for (frame, blocks), (kept, own) in zip(given_sides, kept_sides, strict=True):
        assert len(kept) <= rows
        assert max(counts(own)) <= found.rows_per_block
        order = frame.index.get_indexer(kept.index)
        assert (np.diff(order) > 0).all()
        pd.testing.assert_frame_equal(kept, frame.iloc[order])
        pd.testing.assert_series_equal(own, blocks.iloc[order])


def test_the_seed_decides_which_rows() -> None:
    first, same, other = (thin([30] * 5, [20] * 4, 50, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.batch, same.batch)
    assert not first.batch.index.equals(other.batch.index)


def test_every_row_of_a_block_is_as_likely() -> None:
    kept = np.zeros(8)
    for seed in range(600):
        kept[thin([8], [2], seed=seed).reference["n"]] += 1
    assert np.abs(kept - 150).max() < 45  # four standard deviations of 600 draws of two in eight
