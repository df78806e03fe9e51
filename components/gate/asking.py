"""From a champion and a batch to the signals that may open the gate."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from components.champion import Champion
from components.gate import drift
from components.gate.decision import Signal, column_signals, decay_signal, prediction_signal
from components.scoring import labels, losses


def measured(
    champion: Champion, batch: pd.DataFrame, sample_rows: int, seed: int
) -> tuple[Any, dict[str, float], dict[str, float]]:
    """Evidently's snapshot of samples of both sides, the drift scores and the null shifts of features and prediction.

    A column without any value on one side drifted as far as a column can: its score is 1.
    """
    kinds = {**champion.features, "prediction": "number"}
    reference = champion.reference
    sides = [frame.sample(min(sample_rows, len(frame)), random_state=seed) for frame in (reference, batch)]
    shared = drift.comparable(*sides, kinds)
    found = drift.snapshot(*sides, shared)
    return found, dict.fromkeys(kinds, 1.0) | drift.scores(found), drift.null_shifts(reference, batch, kinds)


def signals(
    champion: Champion, batch: pd.DataFrame, scores: Mapping[str, float], nulls: Mapping[str, float],
    policy: Mapping[str, float],
) -> list[Signal]:
    """Every signal against its threshold: predictions and decay first, then the features by their effect."""
    features = {name: score for name, score in scores.items() if name != "prediction"}
    label = champion.contract.label
    known = batch[batch[label].notna()]
    found = [prediction_signal(scores["prediction"], policy["prediction_drift"])]
    if len(known) >= policy["minimum_rows"] and "loss" in champion.verdict:
        loss = float(losses(labels(known, label), known["prediction"].to_numpy()).mean())
        found.append(decay_signal(loss, champion.verdict["loss"], policy["decay"]))
    return found + column_signals(features, nulls, champion.record["importances"], policy["minimum_effect"])
