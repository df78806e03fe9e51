"""The behavioural tests of contract.yaml, run on a model with the rows of the batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tidegate.components.evaluate.paired_difference import Difference, difference
from tidegate.contract.behaviour import Behaviour, Value
from tidegate.documents.verdict import CheckResult, Rule
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
) -> list[CheckResult]:
    """One check per test: its mean measure over the rows against its limit."""
    checks = []
    for name, test in tests.items():
        measure = measured(test, _predictions(model, rows, test, features, task))
        checks.append(_check(name, test, difference(measure, np.zeros(len(rows)), blocks, seed, weight)))
    return checks


def measured(test: Behaviour, predictions: Sequence[Vector]) -> Vector:
    """The measure of a test in each row, shape (rows,), from the predictions with each of its values.

    Of an invariance how far the predictions lie apart; of a direction how far they go the other way, all steps
    together; of a minimum the prediction itself.
    """
    every = np.stack(predictions, axis=1)
    if test.test == "invariance":
        return np.asarray(every.max(axis=1) - every.min(axis=1))
    if test.test == "direction":
        forward = np.diff(every, axis=1) * (1 if test.effect == "up" else -1)
        return np.asarray(np.maximum(0.0, -forward).sum(axis=1))
    return np.asarray(every[:, 0])


def _predictions(
    model: Any, rows: pd.DataFrame, test: Behaviour, features: Mapping[str, str], task: str
) -> list[Vector]:
    """The predictions of the rows with each value in turn; those of a minimum with all of its values at once."""
    changes = [{test.feature: value} for value in test.values] if test.feature else [test.given]
    return [_single(predict(model, changed(rows, values, features), features, task), test.of) for values in changes]


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


def _check(name: str, test: Behaviour, measure: Difference) -> CheckResult:
    limit = test.tolerance if test.feature else test.at_least if test.at_least is not None else test.at_most or 0.0
    rule: Rule = "at most" if test.at_least is None else "at least"
    passed = measure.mean <= limit if test.at_least is None else measure.mean >= limit
    finding = {
        "invariance": f"predictions move by {measure.mean:.4g} with {test.feature}",
        "direction": f"predictions go {measure.mean:.4g} against the direction along {test.feature}",
        "minimum": f"the mean prediction is {measure.mean:.4g} given {_listed(test.given)}",
    }[test.test]
    reason = f"{'passes' if passed else 'fails'} {name!r}: {finding}, to be {rule} {limit:g}"
    # YAML has 1 for 1.0: as a float it is the same text before and after it is read back.
    return CheckResult(f"behaviour: {name}", passed, reason, measure.mean, measure.interval, rule, float(limit))


def _listed(conditions: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} {value}" for name, value in conditions.items())
