"""The behavioural tests of contract.yaml, held against a model on the rows of the batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tidegate.components.evaluate.checks import Check
from tidegate.components.evaluate.paired_difference import Difference, difference
from tidegate.contract.behaviour import Behaviour, Value
from tidegate.scoring.scores import Vector, one_of, predict


def behaves(
    model: Any,
    rows: pd.DataFrame,
    tests: Mapping[str, Behaviour],
    features: Mapping[str, str],
    task: str,
    blocks: pd.Series,
    seed: int,
    weight: Vector | None = None,
) -> list[Check]:
    """One check per test: what it finds in each row, on average, against its limit."""
    return [
        _check(name, test, difference(found, np.zeros(len(rows)), blocks, seed, weight))
        for name, test in tests.items()
        for found in [measured(test, _answers(model, rows, test, features, task))]
    ]


def measured(test: Behaviour, answers: Sequence[Vector]) -> Vector:
    """What a test finds in each row, shape (rows,), from the answers to each of its values.

    Of an invariance how far the answers lie apart; of a direction how far they go the other way, all steps together;
    of a minimum the answer itself.
    """
    every = np.stack(answers, axis=1)
    if test.test == "invariance":
        return np.asarray(every.max(axis=1) - every.min(axis=1))
    if test.test == "direction":
        forward = np.diff(every, axis=1) * (1 if test.effect == "up" else -1)
        return np.asarray(np.maximum(0.0, -forward).sum(axis=1))
    return np.asarray(every[:, 0])


def _answers(model: Any, rows: pd.DataFrame, test: Behaviour, features: Mapping[str, str], task: str) -> list[Vector]:
    """The predictions of the rows with each value in turn; those of a minimum with all of its values at once."""
    given = [{test.feature: value} for value in test.values] if test.feature else [test.given]
    return [_single(predict(model, changed(rows, values, features), features, task), test.of) for values in given]


def changed(rows: pd.DataFrame, values: Mapping[str, Value], features: Mapping[str, str]) -> pd.DataFrame:
    """The rows with other values; those of texts are spelled as the feature table spells them."""
    spelled = {
        name: value
        if features.get(name) == "number"
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
        for name, value in values.items()
    }
    return rows.assign(**spelled)


def _single(predicted: Any, of: str) -> Vector:
    return one_of(predicted, of) if isinstance(predicted, pd.DataFrame) else np.asarray(predicted, dtype=np.float64)


def _check(name: str, test: Behaviour, found: Difference) -> Check:
    limit = test.tolerance if test.feature else test.at_least if test.at_least is not None else test.at_most or 0.0
    rule = "at most" if test.at_least is None else "at least"
    passed = found.mean <= limit if test.at_least is None else found.mean >= limit
    what = {
        "invariance": f"predictions move by {found.mean:.4g} with {test.feature}",
        "direction": f"predictions go {found.mean:.4g} against the direction along {test.feature}",
        "minimum": f"the mean prediction is {found.mean:.4g} given {_told(test.given)}",
    }[test.test]
    words = f"{'passes' if passed else 'fails'} {name!r}: {what}, to be {rule} {limit:g}"
    return Check(f"behaviour: {name}", passed, words, found.mean, (found.lower, found.upper), rule, limit)


def _told(given: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} {value}" for name, value in given.items())
