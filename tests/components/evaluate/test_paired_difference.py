"""The difference of two models' losses, its interval, and what a verdict says of it."""

import math

import numpy as np
import pandas as pd
import pytest

from tests.components.evaluate.worlds import check, noisy, verdict, world
from tidegate.components.evaluate.checks import Size, against_baseline, against_champion, counted, needed
from tidegate.components.evaluate.paired_difference import Difference, difference
from tidegate.components.evaluate.slices import slice_differences, slice_results
from tidegate.documents.verdict import ModelName, Needed
from tidegate.scoring.slices import slices
from tidegate.scoring.tasks import TASKS


def test_the_mean_and_the_bounds_are_those_of_a_direct_computation() -> None:
    random = np.random.default_rng(3)
    blocks = pd.Series(random.integers(0, 12, 400), index=random.permutation(400))
    first, second = random.normal(0, 1, 400), random.normal(0.1, 1, 400)
    found = difference(first, second, blocks, 7)
    assert found.mean == pytest.approx((first - second).mean())
    groups = [(first - second)[blocks.to_numpy() == block] for block in sorted(set(blocks))]
    again = np.random.default_rng(7).integers(0, 12, (2000, 12))
    means = [np.concatenate([groups[index] for index in picked]).mean() for picked in again]
    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(means, [0.05, 0.95])))
    assert difference(first, second, blocks, 7) == found
    assert difference(first, second, blocks, 8) != found


def test_each_bound_holds_in_nineteen_of_twenty_worlds() -> None:
    random = np.random.default_rng(0)
    below = above = 0
    for seed in range(300):
        effect = random.normal(0, 0.3, 30).repeat(20)  # rows of one block share their luck
        gaps = 0.05 + effect + random.normal(0, 0.5, 600)
        found = difference(gaps, np.zeros(600), pd.Series(np.arange(30).repeat(20)), seed)
        below += found.upper < 0.05
        above += found.lower > 0.05
    # 15 of 300 are nominal; three standard deviations, and a little for the bootstrap with few blocks.
    assert 3 <= below <= 30
    assert 3 <= above <= 30


def test_blocks_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    gaps = random.normal(0, 1, 20).repeat(30) + random.normal(0, 0.1, 600)
    alone = difference(gaps, np.zeros(600), pd.Series(np.arange(600)), 0)
    together = difference(gaps, np.zeros(600), pd.Series(np.arange(20).repeat(30)), 0)
    assert together.upper - together.lower > 3 * (alone.upper - alone.lower)


BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
SIZE = Size(1680, 28.0)
better, same, worse = (Difference(mean, mean - 0.01, mean + 0.01, 0.006) for mean in (-0.02, 0.0, 0.02))


@pytest.mark.parametrize(
    ("found", "margin", "passed", "words"),
    [
        (better, 0.0, True, "better than the champion: log loss -0.0200 [-0.0300, -0.0100]"),
        (
            same,
            0.0,
            False,
            "cannot tell it from the champion: log loss +0.0000 [-0.0100, +0.0100], and the upper bound is above 0; "
            "the smallest difference that these rows could have shown is 0.0149; "
            "with the difference that was found, no number of rows would do",
        ),
        (worse, 0.0, False, "worse than the champion: log loss +0.0200 [+0.0100, +0.0300]"),
        (
            better,
            -0.02,
            False,
            "cannot tell it from the champion: log loss -0.0200 [-0.0300, -0.0100], and the upper bound "
            "is above -0.02; the smallest difference that these rows could have shown is 0.0149; "
            "with the difference that was found, no number of rows would do",
        ),
        (
            better,
            -0.012,
            False,
            "cannot tell it from the champion: log loss -0.0200 [-0.0300, -0.0100], and the upper bound "
            "is above -0.012; the smallest difference that these rows could have shown is 0.0149; "
            "with the difference that was found, 70 days or 4,165 rows more would do four times out of five "
            "(ingest.batch_days 98)",
        ),
        (
            same,
            0.01,
            True,
            "no worse than the champion by more than 0.01: log loss +0.0000 [-0.0100, +0.0100]",
        ),
        (same, 0.009, False, None),
        (
            worse,
            0.03,
            True,
            "worse than the champion, within the margin of 0.03: log loss +0.0200 [+0.0100, +0.0300]",
        ),
        (
            Difference(0.0, 0.0, 0.0),
            0.0,
            True,
            "no worse than the champion: log loss +0.0000 [+0.0000, +0.0000]",
        ),
    ],
)
def test_against_the_champion(found: Difference, margin: float, passed: bool, words: str | None) -> None:
    check = against_champion(found, margin, TASKS["binary"], SIZE)
    assert check.passed == passed
    assert words is None or check.reason == words


@pytest.mark.parametrize(
    ("name", "found", "passed"),
    [
        ("linear", better, True),
        ("linear", same, True),
        ("linear", worse, False),
        ("dummy", better, True),
        ("dummy", same, False),
        ("dummy", worse, False),
        ("dummy", Difference(-0.001, -0.1, 0.1), True),
        ("linear", Difference(0.02, 0.0, 0.1), True),
    ],
)
def test_against_a_baseline(name: str, found: Difference, passed: bool) -> None:
    check = against_baseline(name, found, TASKS["binary"])
    assert check.passed == passed
    assert check.reason.startswith(f"{'holds' if passed else 'fails'} against the {name} baseline: log loss ")


@pytest.mark.parametrize(
    ("passed", "accepted", "reasons"),
    [([True, True], True, ("0", "1")), ([True, False], False, ("1",)), ([False, False], False, ("0", "1"))],
)
def test_one_failed_check_refuses_and_is_the_reason(
    passed: list[bool], accepted: bool, reasons: tuple[str, ...]
) -> None:
    rows = world()
    others = [counted("server", 0 if one else 1, str(index), str(index)) for index, one in enumerate(passed)]
    found = verdict(rows, rows["p"].to_numpy(), challenger_checks=others)
    own = () if not accepted else tuple(check.reason for check in found.checks[: -len(others)])
    assert (found.accepted, found.reasons) == (accepted, (*own, *reasons))
    assert [each.model for each in found.models] == ["challenger", "linear", "dummy"]
    assert found.loss == found.models[0].loss == found.models[0].log_loss


def test_a_planted_amount_is_found() -> None:
    random = np.random.default_rng(1)
    blocks = pd.Series(np.arange(28).repeat(40))
    base = random.exponential(0.5, 28 * 40)
    for planted, passed in ((-0.05, True), (0.05, False)):
        found = difference(base + planted + random.normal(0, 0.1, len(base)), base, blocks, 0)
        assert found.lower < planted < found.upper
        assert against_champion(found, 0.0, TASKS["binary"], SIZE).passed == passed
    assert difference(base, base, blocks, 0) == Difference(0.0, 0.0, 0.0)


def test_as_much_data_as_is_said_to_be_needed_is_accepted_four_times_out_of_five() -> None:
    """Blocks of 20 rows that share their luck, and a model that is better by 0.05 on average."""
    random = np.random.default_rng(6)

    def accepted(blocks: int, seed: int) -> bool:
        gaps = (random.normal(-0.05, 0.3, blocks)[:, None] + random.normal(0, 0.5, (blocks, 20))).ravel()
        found = difference(gaps, np.zeros(len(gaps)), pd.Series(np.arange(blocks).repeat(20)), seed)
        return against_champion(found, 0.0, TASKS["binary"], Size(len(gaps), blocks)).passed

    error = np.sqrt((0.3**2 + 0.5**2 / 20) / 30)
    told = needed(Difference(-0.05, -0.15, 0.05, float(error)), 0.0, Size(600, 30.0))
    assert told and (told.days, told.rows) == (254, 5072)
    share = np.mean([accepted(told.days, seed) for seed in range(200)])
    assert 0.7 < share < 0.9  # three standard errors of 0.028 around 0.8


def test_a_verdict_that_cannot_tell_says_how_much_data_would() -> None:
    rows = world()
    p = rows["p"].to_numpy()
    found = verdict(rows, noisy(p, 0.4), noisy(p, 0.43, 9))
    assert not found.accepted and all(each.passed for each in found.checks if each.name != "champion")
    mean, high = check(found, "champion").number, check(found, "champion").interval
    assert mean < 0 and high and high[1] > 0 and found.smallest_difference
    times = (found.smallest_difference / -mean) ** 2
    assert found.needed == Needed(math.ceil(times * found.rows), math.ceil(times * 28))
    assert f"{found.needed.days - 28:,} days or {found.needed.rows - found.rows:,} rows more" in found.reasons[0]
    assert verdict(rows, p, noisy(p, 0.6)).needed is None
    assert verdict(rows, noisy(p, 0.6), p).needed is None


@pytest.mark.parametrize(
    ("rows", "challenger", "estimator", "told"),
    [
        (1680, 0.02, BOOSTING, "a linear model would do: it keeps at least 90%"),
        (1680, 0.02, "sklearn.linear_model.LogisticRegression", ""),
        (1680, None, BOOSTING, ""),
        (200, 0.4, BOOSTING, "a linear model may do: these rows cannot tell"),
    ],
)
def test_a_challenger_that_a_linear_model_equals_is_said(
    rows: int, challenger: float | None, estimator: str, told: str
) -> None:
    given = world().head(rows)
    p = given["p"].to_numpy()
    linear = noisy(p, 0.5, 2)
    predicted = p if challenger is None else noisy(linear, challenger, 3)
    found = verdict(given, predicted, estimator=estimator)
    assert len(found.notes) == bool(told)
    assert "".join(found.notes).startswith(told)
    assert found.summary.notes == found.notes


def test_weights_count_as_repeated_rows_would() -> None:
    random = np.random.default_rng(4)
    first, second = random.normal(0, 1, 300), random.normal(0.2, 1, 300)
    blocks, times = pd.Series(np.arange(300) // 25), random.integers(1, 4, 300)
    found = difference(first, second, blocks, 1, times.astype(float))
    again = difference(first.repeat(times), second.repeat(times), pd.Series(np.repeat(blocks, times)), 1)
    assert (found.mean, found.lower, found.upper) == pytest.approx((again.mean, again.lower, again.upper))
    assert found != difference(first, second, blocks, 1)
    rows = pd.DataFrame({"shop": np.where(np.arange(300) < 200, "a", "b")})
    parts, weight = slices(rows, ["shop"], 150), times.astype(float)
    models: tuple[ModelName, ...] = ("challenger", "linear", "dummy")
    differences = slice_differences(parts, first - second, blocks, 1, weight)
    (part,) = slice_results(parts, dict.fromkeys(models, first), differences, 0.0, weight)
    assert part.challenger == pytest.approx(np.average(first[:200], weights=times[:200]))


def test_the_words_follow_the_task() -> None:
    far = Difference(-123456.0, -200000.0, -0.00001234)
    assert against_champion(far, 0.0, TASKS["regression"], SIZE).reason == (
        "better than the champion: squared error -1.235e+05 [-2e+05, -1.234e-05]"
    )
    assert against_baseline("dummy", far, TASKS["regression"]).reason.startswith(
        "holds against the dummy baseline: sq"
    )
