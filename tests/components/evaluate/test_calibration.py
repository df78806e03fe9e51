"""The calibration error: nothing of a true model, what was planted of a false one, chance taken off."""

import numpy as np
import pandas as pd
import pytest

from tidegate.components.evaluate.calibration import calibration
from tidegate.components.evaluate.checks import calibrated
from tidegate.components.evaluate.paired_difference import Difference

blocks = pd.Series(np.arange(28).repeat(50))


def test_a_true_model_has_none_but_chance() -> None:
    errors = []
    for world in range(60):
        random = np.random.default_rng(world)
        p = random.uniform(0.05, 0.95, 1400)
        found = calibration((random.random(1400) < p).astype(float), p, "binary", blocks, world)
        errors.append(found.mean)
        assert found.lower < 0.03
    assert np.mean(errors) < 0.022  # 0.03 of ten tenths of 140 rows, were chance not taken off


@pytest.mark.parametrize("planted", [0.05, 0.1, 0.2])
def test_a_planted_error_is_found_within_its_interval(planted: float) -> None:
    random = np.random.default_rng(8)
    p = random.uniform(0.25, 0.7, 1400)
    found = calibration((random.random(1400) < p).astype(float), p + planted, "binary", blocks, 0)
    assert found.lower < planted < found.upper
    assert found.mean == pytest.approx(planted, abs=0.03)
    assert calibrated(found, planted).passed and not calibrated(found, planted - 0.045).passed


def test_of_numbers_it_is_in_deviations_of_the_label() -> None:
    random = np.random.default_rng(4)
    truth = random.normal(1000, 300, 1400)
    label = truth + random.normal(0, 100, 1400)
    found = calibration(label, truth + 158, "regression", blocks, 0)
    assert found.mean == pytest.approx(158 / label.std(), abs=0.03)
    scaled = calibration(label * 1e6, (truth + 158) * 1e6, "regression", blocks, 0)
    assert scaled.mean == pytest.approx(found.mean)
    assert calibration(np.ones(1400), np.ones(1400), "regression", blocks, 0).mean == 0.0


def test_of_many_classes_it_is_that_of_the_most_probable() -> None:
    label = np.array(["a", "b"] * 700)
    sure = pd.DataFrame({"a": np.full(1400, 0.9), "b": 0.1})
    assert calibration(label, sure, "multiclass", blocks, 0).mean == pytest.approx(0.4, abs=0.01)
    assert calibration(label, sure * 0 + 0.5, "multiclass", blocks, 0).mean == pytest.approx(0.0, abs=0.01)


def test_weights_count_as_repeated_rows_would() -> None:
    random = np.random.default_rng(5)
    p, times = random.uniform(0.1, 0.9, 1400), random.integers(1, 4, 1400)
    label = (random.random(1400) < p**2).astype(float)
    found = calibration(label, p, "binary", blocks, 0, times.astype(float))
    again = calibration(label.repeat(times), p.repeat(times), "binary", pd.Series(np.repeat(blocks, times)), 0)
    assert (found.mean, found.lower, found.upper) == pytest.approx((again.mean, again.lower, again.upper), abs=1e-3)


def test_what_was_learned_before_the_world_moved_may_be_as_far_off_as_the_champion() -> None:
    off = Difference(0.3, 0.25, 0.35)
    found = calibrated(off, 0.1, "champion", 0.4)
    assert (found.passed, found.limit) == (True, 0.4)
    assert found.reason.startswith(
        "calibrated within 0.4000, the error of the champion on these rows: calibration err"
    )
    assert not calibrated(off, 0.1, "champion", 0.2).passed
    assert calibrated(off, 0.1, "champion", 0.05).reason.startswith("not calibrated within 0.1: calibration error 0.3")
