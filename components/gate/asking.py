"""From a champion and a batch to the signals that may open the gate."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from components.champion import Champion
from components.gate import drift
from components.gate.decision import Signal, column_signals, decay_signal, prediction_signal
from components.scoring import labels, least_known, losses, mean, weights
from components.tasks import tasks


def measured(
    champion: Champion, batch: pd.DataFrame, sample_rows: int, seed: int
) -> tuple[Any, dict[str, float], dict[str, float]]:
    """Evidently's snapshot of samples of both sides, the drift scores and the null shifts of features and prediction.

    A column that has values on one side only drifted as far as a column can: its score is 1.
    """
    kinds = {**champion.features, "prediction": "category" if champion.contract.task == "multiclass" else "number"}
    before, now = (_sample(frame, sample_rows, seed) for frame in (champion.reference, batch))
    found = drift.snapshot(before, now, drift.comparable(before, now, kinds))
    present = drift.comparable(before, before, kinds) | drift.comparable(now, now, kinds)
    lost = {name: float(name in present) for name in kinds}
    return found, lost | drift.scores(found), drift.null_shifts(champion.reference, batch, kinds)


def _sample(frame: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    return frame.sample(min(rows, len(frame)), random_state=seed)


def signals(
    champion: Champion,
    batch: pd.DataFrame,
    scores: Mapping[str, float],
    nulls: Mapping[str, float],
    policy: Mapping[str, float],
) -> list[Signal]:
    """Every signal against its threshold: predictions and decay first, then the features by their effect."""
    features = {name: score for name, score in scores.items() if name != "prediction"}
    known = batch[batch[champion.contract.label].notna()]
    found = [prediction_signal(scores["prediction"], policy["prediction_drift"])]
    if len(known) >= policy["minimum_rows"] and "loss" in champion.verdict:
        found.append(_decay(champion, known, policy["decay"]))
    return found + column_signals(features, nulls, champion.record["importances"], policy["minimum_effect"])


def _decay(champion: Champion, known: pd.DataFrame, threshold: float) -> Signal:
    promise = champion.contract
    label, least = labels(known, promise.label, promise.task), least_known(champion.record["rows"])
    loss = losses(label, champion.predicted(known), promise.task, least)
    found = mean(loss, weights(known, promise.weight))
    return decay_signal(found, champion.verdict["loss"], threshold, tasks[promise.task])
