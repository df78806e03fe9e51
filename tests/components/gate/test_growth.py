"""The growth of the loss: its bounds hold at the rate, with few blocks too."""

import numpy as np
import pandas as pd
import pytest

from tidegate.components.gate.decay import Growth, growth


def grown(losses: list[float], blocks: list[int], **given: object) -> Growth:
    values = {"weight": None, "verdict_loss": 1.0, "verdict_error": 0.0, "rate": 0.05, "seed": 0, **given}
    return growth(np.array(losses), pd.Series(blocks), **values)  # type: ignore[arg-type]


def test_the_growth_is_the_weighted_mean_less_the_verdicts() -> None:
    assert grown([1, 2, 3, 6], [0, 0, 1, 1]).mean == 2.0
    assert grown([1, 2, 3, 6], [0, 0, 1, 1], weight=np.array([1.0, 1.0, 1.0, 3.0])).mean == 3.0


def test_blocks_that_agree_leave_only_the_verdicts_error() -> None:
    still = grown([3.0] * 12, [0, 1, 2] * 4)
    assert (still.mean, still.lower, still.upper) == (2.0, 2.0, 2.0)
    unsure = grown([3.0] * 12, [0, 1, 2] * 4, verdict_error=0.5)
    assert unsure.lower == pytest.approx(2 - 1.645 * 0.5, abs=0.05)
    assert unsure.upper == pytest.approx(2 + 1.645 * 0.5, abs=0.05)


@pytest.mark.parametrize("blocks", [[], [0], [7, 7, 7]])
def test_one_block_cannot_tell(blocks: list[int]) -> None:
    found = grown([2.0] * len(blocks), blocks)
    assert (found.lower, found.upper) == (None, None)
    assert found.mean == (1.0 if blocks else None)


@pytest.mark.parametrize("count", [3, 5, 10, 28])
def test_each_bound_is_crossed_at_most_at_the_rate(count: int) -> None:
    random, worlds = np.random.default_rng(count), 400
    below = above = 0
    for world in range(worlds):
        effect = random.normal(0, 0.3, count).repeat(15)  # rows of one block share their luck
        verdict = random.normal(0, 0.05)
        losses = 0.7 + effect + random.exponential(0.5, len(effect)) - 0.5
        found = growth(losses, pd.Series(np.arange(count).repeat(15)), None, 0.6 + verdict, 0.05, 0.05, world)
        assert found.lower is not None
        assert found.upper is not None
        below += found.upper < 0.1
        above += found.lower > 0.1
    assert max(below, above) <= 34  # 20 are nominal; three standard deviations
    assert min(below, above) >= 6


def test_the_same_seed_gives_the_same_bounds_whatever_the_order_of_the_rows() -> None:
    random = np.random.default_rng(0)
    losses, blocks, order = random.normal(1, 1, 60), np.arange(60) % 6, random.permutation(60)
    first = grown(list(losses), list(blocks))
    assert grown(list(losses), list(blocks)) == first
    again = grown(list(losses[order]), list(blocks[order]))
    assert again.lower == pytest.approx(first.lower)
    assert grown(list(losses), list(blocks), seed=1) != first
