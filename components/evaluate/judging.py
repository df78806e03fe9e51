"""The judgement: the losses of every model on the same rows, compared, and the verdict that follows."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from components.contract import Contract
from components.errors import InputError
from components.evaluate.comparison import block_of, difference, slice_losses
from components.evaluate.contestants import baselines
from components.evaluate.verdict import Check, against_baseline, against_champion, document
from components.scoring import Predictions, Vector, labels, least_known, losses, metrics, weights
from components.tasks import Task, tasks

least_blocks = 5  # fewer say nothing about how much a batch varies
slice_rows = 200
outcomes = {"binary": "both outcomes", "multiclass": "at least two classes"}


def labelled(features: pd.DataFrame, contract: Contract, batch: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of the batch that have a label; InputError when they cannot judge."""
    rows = features[(features["split"] == "batch") & features[contract.label].notna()]
    place = f"batch {batch['start'][:10]} to {batch['end'][:10]}"
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
    batch: Mapping[str, Any],
    question: Mapping[str, Any],
    champion: str | None,
    rows: pd.DataFrame,
    predicted: Mapping[str, Predictions],
    learned_from: int,
) -> dict[str, Any]:
    """The verdict on the challenger; `question` is its digest and the policy, `champion` the version that serves.

    `learned_from` is the number of the challenger's training rows, by which unknown classes are judged in all models.
    """
    task, weight, label = contract.task, weights(rows, contract.weight), labels(rows, contract.label, contract.task)
    blocks, least = block_of(rows[contract.time], contract.block), least_known(learned_from)
    loss = {model: losses(label, values, task, least) for model, values in predicted.items()}
    seed, margin = int(batch["id"][:8], 16), question["policy"]["margin"]
    return document(
        batch,
        question,
        champion,
        len(rows),
        blocks.nunique(),
        _checks(loss, blocks, weight, seed, margin, tasks[task]),
        {model: metrics(label, values, task, weight, least) for model, values in predicted.items()},
        slice_losses(rows, contract.slices, loss, slice_rows, weight),
        tasks[task],
        least if task == "multiclass" else None,
    )


def _checks(
    loss: Mapping[str, Vector], blocks: pd.Series, weight: Vector | None, seed: int, margin: float, task: Task
) -> list[Check]:
    others = [name for name in loss if name != "challenger"]
    gap = {name: difference(loss["challenger"], loss[name], blocks, seed, weight) for name in others}
    first = [against_champion(gap["champion"], margin, task)] if "champion" in gap else []
    return first + [against_baseline(name, gap[name], task) for name in baselines]
