"""The pictures of a verdict: the numbers behind them, and rows that weigh more than others."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tidegate.components.evaluate.pictures import panels
from tidegate.components.evaluate.tenths import tenths
from tidegate.documents.verdict import ModelName

random = np.random.default_rng(0)
times = random.integers(1, 5, 400)
sure = (random.integers(1, 20, 400) / 20).astype(float)


def rows_of(task: str) -> tuple[Any, dict[ModelName, Any]]:
    """Labels of 400 rows and what two models predict of them."""
    if task == "regression":
        label = 100 * sure + random.normal(0, 5, 400)
        label[[0, -1]] = -50, 200  # the first and the last row are always drawn, and stretch the axis
        return label, {"challenger": 100 * sure, "dummy": np.full(400, label.mean())}
    if task == "binary":
        return (random.random(400) < sure).astype(float), {"challenger": sure, "dummy": np.full(400, 0.5)}
    label = np.where(random.random(400) < sure, "a", np.where(random.random(400) < 0.5, "b", "new"))
    known = pd.DataFrame({"a": sure, "b": (1 - sure) * 0.9, "c": (1 - sure) * 0.1})
    return label, {"challenger": known, "dummy": pd.DataFrame({"a": np.full(400, 0.6), "b": 0.3, "c": 0.1})}


def repeated(values: Any) -> Any:
    return values.loc[values.index.repeat(times)] if isinstance(values, pd.DataFrame) else values.repeat(times)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_row_of_weight_three_is_drawn_as_three_rows(task: str) -> None:
    label, predicted = rows_of(task)
    weighted = panels(task, label, predicted, times.astype(float))
    again = panels(task, repeated(label), {name: repeated(values) for name, values in predicted.items()})
    plain = panels(task, label, predicted)
    for index, (found, expected) in enumerate(zip(weighted, again, strict=True)):
        for name, line in expected.lines.items():
            assert np.array(found.lines[name]) == pytest.approx(np.array(line), abs=2e-4), (found.title, name)
        assert found.lines != plain[index].lines


def test_tenths_are_the_quantile_bins_of_scikit_learn() -> None:
    from sklearn.calibration import calibration_curve

    predicted = random.random(1000)
    label = (random.random(1000) < predicted).astype(float)
    share, expected = calibration_curve(label, predicted, n_bins=10, strategy="quantile")
    found = tenths(predicted, label)
    assert [x for x, _ in found] == pytest.approx(list(expected))
    assert [y for _, y in found] == pytest.approx(list(share))


def test_equal_predictions_share_a_dot() -> None:
    assert np.array(tenths(np.full(50, 0.25), np.arange(50) / 49)) == pytest.approx(np.array([(0.25, 0.5)]))
    assert tenths(np.array([1.0]), np.array([3.0])) == [(1.0, 3.0)]


def test_a_heavy_row_pulls_its_tenth() -> None:
    predicted, label = np.arange(20.0), np.zeros(20)
    label[0] = 1.0
    assert tenths(predicted, label)[0] == (0.5, 0.5)
    heavy = np.ones(20)
    heavy[0] = 9.0
    (first, *_) = tenths(predicted, label, heavy)
    assert first == (0.0, 1.0)
