"""The judgement: the losses of every model on the same rows, compared, and the verdict that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tidegate.components.evaluate.calibration import calibration
from tidegate.components.evaluate.checks import Check, against_baseline, against_champion, calibrated, in_slices
from tidegate.components.evaluate.contestants import baselines
from tidegate.components.evaluate.paired_difference import Difference, difference
from tidegate.components.evaluate.slices import slice_differences, slice_losses, slices, told
from tidegate.components.evaluate.verdict import document
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.process.errors import InputError
from tidegate.scoring.blocks import block_of
from tidegate.scoring.scores import Predictions, Vector, labels, least_known, losses, metrics, weights
from tidegate.scoring.seed import seed_of
from tidegate.scoring.tasks import TASKS, Task

least_blocks = 5  # fewer say nothing about how much a batch varies
outcomes = {"binary": "both outcomes", "multiclass": "at least two classes"}


def labelled(features: pd.DataFrame, contract: Contract, batch: Batch) -> pd.DataFrame:
    """The rows of the batch that have a label; InputError when they cannot judge."""
    rows = features[(features["split"] == "batch") & features[contract.label].notna()]
    place = f"batch {batch.start[:10]} to {batch.end[:10]}"
    if contract.task in outcomes and rows[contract.label].nunique() < 2:
        raise InputError(
            f"{place}: {contract.label}",
            f"labelled rows of {outcomes[contract.task]}",
            f"{len(rows):,} rows of {rows[contract.label].nunique()}",
            "lengthen ingest.batch_days or look at label_delay",
        )
    blocks = block_of(rows[contract.time], contract.block).nunique()
    if blocks < least_blocks:
        raise InputError(
            f"{place}: block {contract.block}",
            f"labelled rows in at least {least_blocks} blocks",
            str(blocks),
            "lengthen ingest.batch_days or shorten the contract's block",
        )
    return rows


def judged(
    contract: Contract,
    batch: Batch,
    question: Mapping[str, Any],
    champion: str | None,
    rows: pd.DataFrame,
    predicted: Mapping[str, Predictions],
    learned_from: int,
    others: Sequence[Check] = (),
    earlier: int = 0,
) -> dict[str, Any]:
    """The verdict on the challenger; `question` is its digest and the policy, `champion` the version that serves.

    `learned_from` is the number of the challenger's training rows, by which unknown classes are judged in all models;
    `others` are the checks of the challenger alone, `earlier` the verdicts that used these rows before.
    """
    task, weight, label = contract.task, weights(rows, contract.weight), labels(rows, contract.label, contract.task)
    blocks, least = block_of(rows[contract.time], contract.block), least_known(learned_from)
    loss = {model: losses(label, values, task, least) for model, values in predicted.items()}
    trial, policy = Trial(loss, blocks, weight, seed_of(batch), TASKS[task]), question["policy"]
    parts = slices(rows, contract.slices, policy["slice_rows"])
    by_slice = slice_differences(parts, trial.gap(trial.rival), blocks, trial.seed, weight)
    gaps = {name: trial.difference(name) for name in loss if name != "challenger"}
    peer = "champion" if "champion" in loss else "linear"
    error, its = (
        calibration(label, predicted[name], task, blocks, trial.seed, weight) for name in ("challenger", peer)
    )
    checks = [
        *_compared(gaps, policy["margin"], TASKS[task]),
        in_slices(by_slice, trial.rival, policy["margin"], TASKS[task]),
        calibrated(error, policy["calibration"], f"{peer} model" if peer == "linear" else peer, its.mean),
        *others,
    ]
    return document(
        batch,
        question,
        champion,
        rows=len(rows),
        blocks=blocks.nunique(),
        checks=[check for check in checks if check],
        scores={model: metrics(label, values, task, weight, least) for model, values in predicted.items()},
        slices=[told(found, by_slice, policy["margin"]) for found in slice_losses(parts, loss, weight)],
        task=TASKS[task],
        least=least if task == "multiclass" else None,
        smallest=gaps["champion"].smallest if "champion" in gaps else None,
        earlier=earlier,
        error=trial.error("challenger"),
    )


@dataclass(frozen=True)
class Trial:
    """The losses of every model on the same rows, and how they are compared."""

    loss: Mapping[str, Vector]
    blocks: pd.Series
    weight: Vector | None
    seed: int
    task: Task

    @property
    def rival(self) -> str:
        """Whom the challenger has to hold against slice by slice."""
        return "champion" if "champion" in self.loss else "dummy"

    def gap(self, other: str) -> Vector:
        """Challenger minus the other, row by row."""
        return self.loss["challenger"] - self.loss[other]

    def error(self, name: str) -> float:
        """The standard error of a model's mean loss."""
        own = self.loss[name]
        return difference(own, np.zeros(len(own)), self.blocks, self.seed, self.weight).error

    def difference(self, other: str) -> Difference:
        """Challenger minus the other."""
        return difference(self.loss["challenger"], self.loss[other], self.blocks, self.seed, self.weight)


def _compared(gaps: Mapping[str, Difference], margin: float, task: Task) -> list[Check]:
    first = [against_champion(gaps["champion"], margin, task)] if "champion" in gaps else []
    return first + [against_baseline(name, gaps[name], task) for name in baselines]
