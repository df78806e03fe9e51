"""The command of evaluate."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient

from components import models
from components.champion import Champion, load_champion
from components.command import run
from components.contract import Contract, read_contract
from components.errors import InputError
from components.evaluate.comparison import block_of, difference, slice_losses
from components.evaluate.pictures import differences, panels
from components.evaluate.verdict import Check, against_baseline, against_champion, document
from components.features import Window
from components.formats import read_json, read_table, write_json, write_text
from components.page import write_page
from components.scoring import Predictions, Vector, labels, losses, predict, weights
from components.scoring import metrics as metrics_of
from components.tasks import Task, lower_is_better, shown, tasks
from components.tracking import logs, records
from components.tracking.runs import batch_run
from components.tracking.store import connect

least_blocks = 5  # fewer say nothing about how much a batch varies
slice_rows = 200
outcomes = {"binary": "both outcomes", "multiclass": "at least two classes"}


def evaluate(
    clean: Path,
    features: Path,
    batch: Path,
    contract: Path,
    model: Path,
    baselines: Path,
    record: Path,
    margin: float,
    verdict: Path,
    report: Path,
    metrics: Path,
) -> Mapping[str, Mapping[str, Any]]:
    """Judge the challenger on the batch's labelled rows; a batch whose release is recorded keeps its verdict."""
    promise, this, trained = read_contract(contract), read_json(batch), read_json(record)
    client = connect()
    run_id = batch_run(client, promise.name, this["id"], {"tidegate.until": this["end"][:10]})
    question = {"challenger": trained["digest"], "policy": {"margin": margin}}
    released = records.recorded(client, run_id, records.question("release", question))
    if released is not None:
        answer = released["verdict"]
        write_text(report, logs.text(client, run_id, f"{_folder(answer)}/report.html"))
    else:
        answer = _judge(
            client,
            promise,
            this,
            question,
            {
                "clean": clean,
                "features": features,
                "model": model,
                "baselines": baselines,
                "report": report,
            },
            trained,
        )
        logs.files(
            client, run_id, {"verdict.json": json.dumps(answer, indent=2), "report.html": report}, _folder(answer)
        )
    names = tasks[promise.task].metrics
    found = {item["model"]: {name: item[name] for name in names if name in item} for item in answer["models"]}
    write_json(verdict, answer)
    write_json(metrics, {"accepted": int(answer["accepted"]), **found})
    logs.metrics(
        client, run_id, {f"{name}.{key}": value for name, item in found.items() for key, value in item.items()}
    )
    word = "accepted" if answer["accepted"] else "refused"
    logs.tags(client, run_id, {"tidegate.verdict": word, "tidegate.verdict.reasons": "; ".join(answer["reasons"])})
    for reason in answer["reasons"]:
        print(f"{word}: {reason}")
    return {"metrics": found["challenger"]}


def _folder(verdict: Mapping[str, Any]) -> str:
    return f"evaluate/{records.question('verdict', verdict)}"


def _judge(
    client: MlflowClient,
    contract: Contract,
    batch: Mapping[str, Any],
    question: Mapping[str, Any],
    paths: Mapping[str, Path],
    record: Mapping[str, Any],
) -> dict[str, Any]:
    """Score every model on the same rows and write the page; InputError when the rows cannot judge."""
    table = read_table(paths["features"], "features")
    rows = table[(table["split"] == "batch") & table[contract.label].notna()]
    _check_rows(rows, contract, batch)
    champion = load_champion(client, contract.name)
    kinds, name = record["features"], contract.task
    task, weight = tasks[name], weights(rows, contract.weight)
    predicted = {"challenger": predict(models.load(paths["model"], record["digest"]), rows, kinds, name)}
    if champion is not None:
        predicted["champion"] = _as_champion(champion, rows, paths["clean"], contract, batch)
    simple = models.load(paths["baselines"], record["baselines_digest"])
    predicted |= {baseline: predict(simple[baseline], rows, kinds, name) for baseline in ("linear", "dummy")}
    label, blocks = labels(rows, contract.label, name), block_of(rows[contract.time], contract.block)
    loss = {model: losses(label, values, name) for model, values in predicted.items()}
    answer = document(
        batch,
        question,
        champion.version if champion else None,
        len(rows),
        blocks.nunique(),
        _checks(loss, blocks, weight, int(batch["id"][:8], 16), question["policy"]["margin"], task),
        {model: metrics_of(label, values, name, weight) for model, values in predicted.items()},
        slice_losses(rows, contract.slices, loss, slice_rows, weight),
        task,
    )
    write_verdict(paths["report"], contract, batch, answer, panels(name, label, predicted))
    return answer


def write_verdict(
    path: Path,
    contract: Contract,
    batch: Mapping[str, Any],
    answer: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]],
) -> None:
    """The page of a verdict."""
    write_page(
        path,
        "evaluate",
        f"{contract.name}: verdict",
        name=contract.name,
        batch=batch,
        verdict=answer,
        task=tasks[contract.task],
        lower_is_better=lower_is_better,
        shown=shown,
        panels=pictures,
        kind=contract.task,
        differences=differences(answer["checks"]),
    )


def _check_rows(rows: pd.DataFrame, contract: Contract, batch: Mapping[str, Any]) -> None:
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


def _as_champion(
    champion: Champion, rows: pd.DataFrame, clean: Path, contract: Contract, batch: Mapping[str, Any]
) -> Predictions:
    """The champion's predictions of the same events, fed by its own SQL; it must not have learned from them."""
    if champion.contract.task != contract.task:
        raise InputError(
            f"champion version {champion.version}",
            f"the task {contract.task} of contract.yaml",
            champion.contract.task,
            "give the new problem another name in contract.yaml",
        )
    if champion.record["to"] >= batch["start"]:
        raise InputError(
            f"champion version {champion.version}",
            f"rows before {batch['start']} only in its training",
            f"rows up to {champion.record['to']}",
            "move ingest.until past them",
        )
    window = Window(datetime.fromisoformat(batch["start"]), datetime.fromisoformat(batch["end"]))
    seen = champion.batch(clean, window)
    found = rows[contract.identity].merge(seen, on=contract.identity, how="left", validate="one_to_one")
    missing = int(found["prediction"].isna().sum())
    if missing:
        raise InputError(
            f"champion version {champion.version}",
            "a prediction for every event of the batch",
            f"{missing:,} events that its SQL does not give",
            "mend the tables' keys",
        )
    return champion.predicted(found)


def _checks(
    loss: Mapping[str, Vector], blocks: pd.Series, weight: Vector | None, seed: int, margin: float, task: Task
) -> list[Check]:
    others = [name for name in loss if name != "challenger"]
    gap = {name: difference(loss["challenger"], loss[name], blocks, seed, weight) for name in others}
    first = [against_champion(gap["champion"], margin, task)] if "champion" in gap else []
    return first + [against_baseline(name, gap[name], task) for name in ("linear", "dummy")]


if __name__ == "__main__":
    run(evaluate)
