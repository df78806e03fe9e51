"""All trees at once give the bits that scikit-learn gives, or are not used."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)

from tidegate.serving.boosted_trees import boosted_trees

ROWS, CODES = 1500, 250
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "binary": (HistGradientBoostingClassifier, {}),
    "multiclass": (HistGradientBoostingClassifier, {"max_iter": 20}),
    "few leaves": (HistGradientBoostingClassifier, {"max_leaf_nodes": 2}),
    "most leaves": (HistGradientBoostingRegressor, {"max_leaf_nodes": 64, "min_samples_leaf": 1}),
    "squared error": (HistGradientBoostingRegressor, {}),
    "gamma": (HistGradientBoostingRegressor, {"loss": "gamma"}),
    "poisson": (HistGradientBoostingRegressor, {"loss": "poisson"}),
    "quantile": (HistGradientBoostingRegressor, {"loss": "quantile", "quantile": 0.9}),
    "monotonic": (HistGradientBoostingClassifier, {"monotonic_cst": [0, 0, 1, -1, 0]}),
}


def rows(count: int, seed: int, codes: int = CODES) -> npt.NDArray[np.float64]:
    """Two columns of codes and three of numbers, of which some are missing and many are equal."""
    random = np.random.default_rng(seed)
    drawn = random.normal(size=(count, 5)).round(1)
    drawn[:, 0], drawn[:, 1] = random.integers(0, 30, count), random.integers(0, codes, count)
    drawn[random.random(drawn.shape) < 0.1] = np.nan
    return drawn


def fitted(kind: str, categorical: list[int] | None, seed: int = 0) -> Any:
    """An estimator without an encoder of its own, as training leaves it."""
    random, known = np.random.default_rng(seed), rows(ROWS, seed)
    signal = np.nan_to_num(known[:, 2]) + (np.nan_to_num(known[:, 0]) % 3 == 0) + random.normal(size=ROWS)
    make, parameters = KINDS[kind]
    label = {"binary": signal > 0.5, "multiclass": np.digitize(signal, [-0.5, 0.5, 1.5])}.get(kind)
    if label is None:
        label = np.exp(signal) if make is HistGradientBoostingRegressor else signal > 0
    estimator = make(categorical_features=categorical, random_state=0, **parameters).fit(known, label)
    estimator._preprocessor = None
    return estimator


def asked(estimator: Any, given: npt.NDArray[np.float64]) -> Any:
    return (estimator.predict_proba if hasattr(estimator, "predict_proba") else estimator.predict)(given)


@pytest.mark.parametrize("categorical", [None, [0, 1]], ids=["numbers", "categories"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits(kind: str, categorical: list[int] | None) -> None:
    estimator = fitted(kind, categorical)
    trees = boosted_trees(estimator)
    assert trees is not None
    others = rows(300, 1, 256)  # with codes that were not learned
    others[:20, 0], others[20:40] = -1, np.nan
    for given in (others[:1], others[:2], others, others[::-1][:7]):
        assert np.array_equal(trees.ask(given), asked(estimator, given))


def test_trees_of_a_single_leaf() -> None:
    known = rows(100, 0)
    estimator = HistGradientBoostingRegressor(min_samples_leaf=90, max_iter=3).fit(known, known[:, 0] > 3)
    estimator._preprocessor = None
    trees = boosted_trees(estimator)
    assert trees is not None and {len(tree.nodes) for (tree,) in estimator._predictors} == {1}
    assert np.array_equal(trees.ask(known), estimator.predict(known))


def test_trees_of_one_leaf_among_others() -> None:
    estimator = fitted("binary", None)
    single = fitted("few leaves", None)._predictors[0][0]
    single.nodes = single.nodes[:1].copy()
    single.nodes["is_leaf"], single.nodes["value"] = 1, 0.25
    for place in (0, 40, len(estimator._predictors)):
        estimator._predictors.insert(place, [single])
    trees, given = boosted_trees(estimator), rows(50, 2)
    assert trees is not None and np.array_equal(trees.ask(given), asked(estimator, given))


def test_a_value_on_the_threshold_goes_left() -> None:
    estimator = fitted("binary", None)
    given = np.array([[tree.nodes["num_threshold"][0]] * 5 for (tree,) in estimator._predictors])
    trees = boosted_trees(estimator)
    assert trees is not None and np.array_equal(trees.ask(given), asked(estimator, given))


def test_other_estimators_are_asked_themselves() -> None:
    known = np.nan_to_num(rows(200, 0))
    assert boosted_trees(RandomForestClassifier(3).fit(known, known[:, 0] > 3)) is None
    large = HistGradientBoostingRegressor(max_leaf_nodes=65, min_samples_leaf=1, max_iter=2)
    assert boosted_trees(large.fit(known, np.random.default_rng(0).normal(size=200))) is None
