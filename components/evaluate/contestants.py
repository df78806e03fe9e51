"""The models that are compared: the challenger, the champion and the baselines, and their predictions."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

from tidegate import models
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.documents.record import Record
from tidegate.documents.verdict import ModelName
from tidegate.process.errors import InputError
from tidegate.scoring.scores import Predictions, predict
from tidegate.tables.features import Window
from tidegate.tracking.champion import Champion

BASELINES: tuple[ModelName, ...] = ("linear", "dummy")


def predictions(
    champion: Champion | None,
    rows: pd.DataFrame,
    paths: Mapping[str, Path],
    contract: Contract,
    batch: Batch,
    record: Record,
) -> dict[ModelName, Predictions]:
    """The predictions of each model by its name: the challenger, the champion if there is one, the baselines."""
    kinds, task = record.features, contract.task
    _check_unseen("challenger", record, batch)
    model = models.load(paths["model"], record.digest)
    predicted: dict[ModelName, Predictions] = {"challenger": predict(model, rows, kinds, task)}
    if champion is not None:
        predicted["champion"] = _as_champion(champion, rows, paths["clean"], contract, batch)
    simple = models.load(paths["baselines"], record.baselines_digest)
    return predicted | {name: predict(simple[name], rows, kinds, task) for name in BASELINES}


def _as_champion(champion: Champion, rows: pd.DataFrame, clean: Path, contract: Contract, batch: Batch) -> Predictions:
    """The champion's predictions of the same events, fed by its own SQL; it must not have learned from them.

    Where the feature table was made by the same SQL, nothing is computed again.
    """
    _check_champion(champion, contract, batch)
    if champion.has_features_of(contract, batch):
        return champion.predict(rows)
    window = Window(datetime.fromisoformat(batch.start), datetime.fromisoformat(batch.end))
    own_rows = champion.batch(clean, window)
    merged = rows[contract.identity].merge(own_rows, on=contract.identity, how="left", validate="one_to_one")
    if missing := int(merged["prediction"].isna().sum()):
        raise InputError(
            f"champion version {champion.version}",
            "a prediction for every event of the batch",
            f"{missing:,} events that its SQL does not give",
            "correct the tables' keys",
        )
    return champion.predicted(merged)


def _check_champion(champion: Champion, contract: Contract, batch: Batch) -> None:
    place = f"champion version {champion.version}"
    if champion.contract.task != contract.task:
        raise InputError(
            place,
            f"the task {contract.task} of contract.yaml",
            champion.contract.task,
            "give the new problem another name in contract.yaml",
        )
    _check_unseen(place, champion.record, batch)


def _check_unseen(place: str, record: Record, batch: Batch) -> None:
    """InputError unless a model's training window ends before the rows that it is evaluated on."""
    if record.to >= batch.start:
        expected = f"rows before {batch.start} only in its training"
        raise InputError(place, expected, f"rows up to {record.to}", "move ingest.until past them")
