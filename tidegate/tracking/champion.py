"""The champion carries itself: its model, SQL, contract, reference and record, as fetched from the registry."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tidegate import models
from tidegate.contract.contract import Contract, read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.formats import read_text
from tidegate.documents.record import Record
from tidegate.documents.verdict import VerdictSummary
from tidegate.process.keys import Trusted
from tidegate.scoring.scores import Predictions, answers, predict
from tidegate.tables.features import Window, batch_frame
from tidegate.tracking.journal import Serving, serving
from tidegate.tracking.versions import fetch, get

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import ModelVersion


DECIDE_ROWS = ("event", "identity", "label", "label_delay", "task", "weight")  # keys of the contract beside its tables


@dataclass(frozen=True)
class Champion:
    """The version that serves; `record` is how it was trained, `verdict` why it was promoted."""

    version: str
    model: Any
    contract: Contract
    sql: str
    record: Record
    verdict: VerdictSummary | None
    reference: pd.DataFrame

    @property
    def features(self) -> dict[str, str]:
        """Its features whose drift can be measured, numbers and categories, and their kinds."""
        return {name: kind for name, kind in self.record.features.items() if kind != "words"}

    def golden(self, rows: int) -> dict[str, list[Any]]:
        """The features of the first rows of the reference sample, in columns; null is None."""
        sample = self.reference.head(rows)
        return {name: [*map(none_for_null, sample[name].tolist())] for name in self.record.features}

    def has_features_of(self, contract: Contract, batch: Batch) -> bool:
        """Whether the feature table of a batch holds what its own SQL would say."""
        learned = self.record
        same_kinds = learned.features.items() <= batch.features.items()
        same_rows = all(getattr(self.contract, name) == getattr(contract, name) for name in DECIDE_ROWS)
        return learned.made_from.recipe.sql == batch.recipe.sql and same_kinds and same_rows

    def batch(self, clean: Path, window: Window) -> pd.DataFrame:
        """The rows of the batch as its own SQL sees them, with its `prediction`; one row per event, in total order."""
        frame: pd.DataFrame = batch_frame(clean, self.sql, self.contract, window)
        return frame.assign(prediction=answers(self.predict(frame)) if len(frame) else [])

    def predict(self, frame: pd.DataFrame) -> Predictions:
        """What it says of rows of `batch`: see `tidegate.scoring.scores.predict`."""
        return predict(self.model, frame, self.record.features, self.contract.task)

    def predicted(self, frame: pd.DataFrame) -> Predictions:
        """The same for rows that hold its `prediction`, asked again only where that is but a part of the answer."""
        if self.contract.task == "multiclass":
            return self.predict(frame)
        return np.asarray(frame["prediction"], dtype=np.float64)


def none_for_null(value: Any) -> Any:
    """The value, None for NaN."""
    return None if value is None or value != value else value


def load_champion(client: MlflowClient, name: str, trusted: Trusted) -> Champion | None:
    """Fetch, check and load the champion of `name`; None before the first promotion."""
    return champion_of(client, name, serving(client, name), trusted)


def champion_of(client: MlflowClient, name: str, serving: Serving, trusted: Trusted) -> Champion | None:
    """Fetch, check and load the version that serves; None before the first promotion.

    ModelError unless one of the `trusted` keys has signed it, if there are any.
    """
    if serving.version is None:
        return None
    tail = serving.history.tail
    return _loaded(client, name, serving.version, tail.verdict if tail else None, trusted)


def version_of(client: MlflowClient, name: str, version: str, trusted: Trusted) -> Champion:
    """Fetch, check and load any version; errors as `champion_of`, and TrackingError where there is no such version."""
    return _loaded(client, name, get(client, name, version), None, trusted)


def _loaded(
    client: MlflowClient, name: str, registered: ModelVersion, verdict: VerdictSummary | None, trusted: Trusted
) -> Champion:
    version = str(registered.version)
    with tempfile.TemporaryDirectory() as scratch:
        folder = fetch(client, name, version, Path(scratch) / "champion", trusted, registered)
        record = Record.parse(read_text(folder / "record.json"), f"record.json of {name} version {version}")
        return Champion(
            version=version,
            model=models.load(folder / "model.skops", record.digest),
            contract=read_contract(folder / "contract.yaml"),
            sql=read_text(folder / "features.sql"),
            record=record,
            verdict=verdict,
            reference=pd.read_parquet(folder / "reference.parquet"),
        )
