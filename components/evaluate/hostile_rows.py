"""Rows of extreme and missing values: a model that serves will meet them, and has to give a finite prediction."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tidegate.components.evaluate.checks import counted
from tidegate.documents.verdict import CheckResult
from tidegate.process.errors import InputError
from tidegate.scoring.scores import Predictions, predict

HOSTILE_NUMBERS = (None, np.inf, -np.inf, 1e300, -1e300, 0.0)
HOSTILE_TEXTS = (None, "", "never seen: \u2603\U0001f680\u0000", "x" * 10_000)
TOLERANCE = 1e-6


def hostile_rows(rows: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """The first row with one feature after the other made hostile, and then with all of them at once."""
    plain: dict[str, Any] = {name: rows[name].iloc[0] for name in features}
    values = {name: HOSTILE_NUMBERS if kind == "number" else HOSTILE_TEXTS for name, kind in features.items()}
    single = [{**plain, name: value} for name in features for value in values[name]]
    whole = [{name: values[name][at % len(values[name])] for name in features} for at in range(len(HOSTILE_NUMBERS))]
    table = pd.DataFrame([*single, *whole], columns=list(features), dtype=object)
    for name, kind in features.items():
        if kind == "number":
            table[name] = table[name].astype(np.float64)
    return table


def hostile_check(model: Any, rows: pd.DataFrame, features: Mapping[str, str], task: str) -> CheckResult:
    """Refused when a row of `hostile_rows` gets no finite prediction."""
    failures = 0 if _all_finite(model, rows, features, task) else _failures(model, rows, features, task)
    passing = f"gives a finite answer to all {len(rows):,} hostile rows"
    failing = f"gives no finite answer to {failures:,} of {len(rows):,} hostile rows"
    return counted("hostile rows", failures, passing, failing)


def _failures(model: Any, rows: pd.DataFrame, features: Mapping[str, str], task: str) -> int:
    """One by one: a model that refuses a row refuses all that come with it."""
    return sum(not _all_finite(model, rows.iloc[[at]], features, task) for at in range(len(rows))) or len(rows)


def _all_finite(model: Any, rows: pd.DataFrame, features: Mapping[str, str], task: str) -> bool:
    try:
        return finite(predict(model, rows, features, task), task)
    except (InputError, ValueError, ArithmeticError):  # what scikit-learn raises of values that it does not take
        return False


def finite(predicted: Predictions, task: str) -> bool:
    """Whether every prediction is a number, and those of classes are probabilities."""
    values = np.asarray(predicted, dtype=np.float64)
    if not np.isfinite(values).all():
        return False
    if isinstance(predicted, pd.DataFrame) and (np.abs(values.sum(axis=1) - 1) > TOLERANCE).any():
        return False
    return bool(task == "regression" or ((values >= 0) & (values <= 1 + TOLERANCE)).all())
