"""A world with known truth: labels of days that share their luck, and models that are as good as planted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tests.documents import QUESTION, batch_of
from tidegate.components.evaluate.evaluation import Evaluation
from tidegate.components.evaluate.evaluation import verdict as verdict_on
from tidegate.contract.contract import Contract, parse_contract
from tidegate.documents.verdict import CheckResult, ModelName, Verdict
from tidegate.scoring.scores import Predictions

days, per_day = 28, 60
batch = batch_of(start="2025-03-01T00:00:00", end="2025-03-29T00:00:00")
promises = """\
{name: t, purpose: p, task: TASK, event: t, label: y, label_delay: 1d, horizon: 1d, block: 1d, slices: [shop],
 tables: {t: {files: t.csv, time: at, columns: {at: {type: timestamp}, x: {type: number, role: outcome}}}}}
"""


def promise(task: str = "binary") -> Contract:
    """The contract of the world."""
    return parse_contract(promises.replace("TASK", task))


def world(seed: int = 0) -> pd.DataFrame:
    """Rows with their true probability `p`; a day's luck moves all of its rows."""
    random = np.random.default_rng(seed)
    luck = random.normal(0, 0.3, days).repeat(per_day)
    p = 1 / (1 + np.exp(-(random.normal(0, 1.2, days * per_day) + luck)))
    return pd.DataFrame(
        {
            "at": pd.date_range("2025-03-01", periods=days, freq="D").repeat(per_day),
            "shop": random.choice(["north", "south", "east"], days * per_day),
            "p": p,
            "y": (random.random(days * per_day) < p).astype(float),
        }
    )


def noisy(p: Any, amount: float, seed: int = 1) -> Any:
    """The probability as a worse model sees it: noise on the scale of log odds."""
    noise = np.random.default_rng(seed).normal(0, amount, len(p))
    return 1 / (1 + np.exp(-(np.log(p / (1 - p)) + noise)))


def verdict(
    rows: pd.DataFrame,
    challenger: Predictions,
    champion: Predictions | None = None,
    challenger_checks: Sequence[CheckResult] = (),
    estimator: str = "",
    **changed: Any,
) -> Verdict:
    """The verdict on a challenger, with the baselines that such rows have."""
    dummy = np.full(len(rows), rows["y"].mean())
    predicted: Mapping[ModelName, Predictions] = {
        "challenger": challenger,
        **({} if champion is None else {"champion": champion}),
        "linear": noisy(rows["p"].to_numpy(), 0.5, 2),
        "dummy": dummy,
    }
    question = replace(QUESTION, policy=replace(QUESTION.policy, **changed))
    version = None if champion is None else "1"
    return verdict_on(
        Evaluation(promise(), batch, question, version, rows, predicted, 5000, challenger_checks, estimator)
    )


def check(found: Verdict, name: str) -> CheckResult:
    """One check of a verdict."""
    (one,) = [each for each in found.checks if each.name == name]
    return one
