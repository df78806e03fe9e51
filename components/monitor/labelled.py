"""What is known of the asked rows by now: the champion's loss of each hour, estimated or true, and its metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from tidegate.components.gate.expected_loss import expected_losses
from tidegate.components.monitor.asked import ASKED_AT
from tidegate.documents.traffic import Hour
from tidegate.scoring.scores import labels, least_known, losses, mean, metrics, weights
from tidegate.tracking.champion import Champion


@dataclass(frozen=True)
class Labelled:
    """How many sampled rows have a label, the hours with the loss on them, and the metrics on all of them."""

    rows: int
    hours: Sequence[Hour]
    metrics: Mapping[str, float]


def labelled(champion: Champion, rows: pd.DataFrame, hours: Sequence[Hour], features: Mapping[str, str]) -> Labelled:
    """What the labels among `rows` say; of several classes nothing, where not every feature was recorded."""
    contract = champion.contract
    known = rows[rows[contract.label].notna()]
    if known.empty or (contract.task == "multiclass" and len(features) < len(champion.record.features)):
        return Labelled(0, hours, {})
    label, weight = labels(known, contract.label, contract.task), weights(known, contract.weight)
    predicted, least = champion.predicted(known), least_known(champion.record.rows)
    lost = pd.DataFrame({"hour": known[ASKED_AT], "loss": losses(label, predicted, contract.task, least)})
    lost["weight"] = 1.0 if weight is None else weight
    by_hour = {
        pd.Timestamp(str(start)).isoformat(): (len(own), mean(own["loss"].to_numpy(), own["weight"].to_numpy()))
        for start, own in lost.groupby("hour")
    }
    every = [_with_loss(hour, *by_hour[hour.start]) if hour.start in by_hour else hour for hour in hours]
    return Labelled(len(known), every, metrics(label, predicted, contract.task, weight, least))


def with_estimates(champion: Champion, rows: pd.DataFrame, hours: Sequence[Hour]) -> list[Hour]:
    """The hours with the champion's mean loss on their `rows` as it can be expected without labels."""
    if rows.empty:
        return list(hours)
    expected = pd.Series(expected_losses(champion, rows), index=rows.index).groupby(rows[ASKED_AT]).mean()
    by_hour = {pd.Timestamp(str(start)).isoformat(): float(value) for start, value in expected.items()}
    return [replace(hour, estimate=by_hour.get(hour.start)) for hour in hours]


def _with_loss(hour: Hour, rows: int, loss: float) -> Hour:
    return replace(hour, labelled_rows=rows, loss=loss)
