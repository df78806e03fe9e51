"""The flights of the sample as a world to draw batches from: a champion of some days, and days it has not seen."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.components.featurize.__main__ import featurize
from tidegate.components.ingest.__main__ import ingest
from tidegate.components.train.diagnostics import importances, split_tail
from tidegate.components.train.specification import read_specification
from tidegate.components.train.training import TrainingSet
from tidegate.contract.contract import read_contract
from tidegate.documents.digests import digests
from tidegate.documents.findings import Findings
from tidegate.documents.formats import read_json
from tidegate.scoring.blocks import block_of
from tidegate.scoring.scores import losses, predict

Days = list[npt.NDArray[np.int64]]  # the rows of each day
training_days = 120
repository = Path(__file__).parents[1]


@dataclass(frozen=True)
class World:
    """All flights with label, prediction and loss; `learned` are the days of the champion, `pool` the others."""

    rows: pd.DataFrame
    kinds: Mapping[str, str]
    shares: Mapping[str, float]
    model: Any
    pool: Days
    learned: Days

    def predicted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows as the champion sees them now."""
        return rows.assign(prediction=predict(self.model, rows, dict(self.kinds), "binary"))

    @property
    def compared(self) -> dict[str, str]:
        """What the gate compares, and its kinds."""
        return {**self.kinds, "prediction": "number", "label": "category"}


def world(data: Path, scratch: Path, seed: int = 0) -> World:
    """Features as the pipeline makes them of all of the year, and a champion that learned from days all over it."""
    table, kinds = _features(data, scratch)
    promise, specification = (
        read_contract(repository / "contract.yaml"),
        read_specification(repository / "model.yaml", "binary"),
    )
    blocks = block_of(table[promise.time], promise.block)
    days = np.random.default_rng(seed).permutation(np.array(sorted(blocks.unique())))
    labelled = table[blocks.isin(days[:training_days]) & table[promise.label].notna()]
    head, tail = split_tail(labelled, promise.time)
    held_out = TrainingSet(head, promise, kinds, specification)
    weights = importances(held_out.fitted(held_out.challenger()), tail, promise, kinds, seed)
    training_set = TrainingSet(labelled, promise, kinds, specification)
    model = training_set.fitted(training_set.challenger())
    rows = table[list(kinds)].assign(label=table[promise.label].astype(float), block=blocks)
    rows["prediction"] = predict(model, rows, kinds, "binary")
    rows["loss"] = losses(rows["label"].to_numpy(), rows["prediction"].to_numpy(), "binary")
    rows.loc[rows["label"].isna(), "loss"] = np.nan
    places = rows.reset_index(drop=True).groupby("block").indices
    whole = sum(max(0.0, value) for value in weights.values())
    shares = {name: max(0.0, value) / whole for name, value in weights.items()}
    learned, pool = ([places[day] for day in part] for part in (days[:training_days], days[training_days:]))
    return World(rows.reset_index(drop=True), kinds, shares, model, pool, learned)


def _features(data: Path, scratch: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    tables, manifest, batch = scratch / "tables", scratch / "manifest.json", scratch / "batch.json"
    contract, sql, estimator = (repository / name for name in ("contract.yaml", "features.sql", "model.yaml"))
    ingest(data, contract, "2014-01-01", 28, tables, manifest)
    findings = scratch / "findings.json"
    Findings(True, 0, {}, digests(clean=tables)).write(findings)  # the sample keeps its contract
    featurize(tables, manifest, findings, contract, sql, estimator, 365, scratch / "features", batch)
    return pd.read_parquet(scratch / "features"), read_json(batch)["features"]


def world_file(data: Path, scratch: Path) -> Path:
    """The world in a file of our own, for the processes that share it."""
    path = scratch / "world"
    path.write_bytes(pickle.dumps(world(data, scratch)))
    return path


def important(world: World) -> dict[str, float]:
    """What the champion depends on."""
    return {name: round(share, 3) for name, share in world.shares.items() if share > 0}
