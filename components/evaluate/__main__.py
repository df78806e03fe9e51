"""The command of evaluate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from tidegate.components.evaluate.assessment import judged, labelled
from tidegate.components.evaluate.challenger_checks import probed
from tidegate.components.evaluate.classification import classification
from tidegate.components.evaluate.contestants import predictions
from tidegate.components.evaluate.page import write_verdict
from tidegate.components.evaluate.pictures import panels
from tidegate.contract.contract import Contract, read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.formats import read_json, read_table, write_json, write_text
from tidegate.documents.record import Record
from tidegate.process.command import Output
from tidegate.scoring.scores import labels, weights
from tidegate.scoring.tasks import TASKS
from tidegate.tracking import approvals, logs, records
from tidegate.tracking.champion import load_champion
from tidegate.tracking.logs import Point
from tidegate.tracking.runs import batch_run, seen
from tidegate.tracking.store import connect
from tidegate.tracking.uses import earlier_verdicts, noted

longest_tag = 4000


def evaluate(
    clean: Path,
    features: Path,
    batch: Path,
    contract: Path,
    model: Path,
    baselines: Path,
    record: Path,
    margin: float,
    slice_rows: int,
    calibration: float,
    leak: float,
    verdict: Output,
    report: Output,
    metrics: Output,
    curves: Output,
) -> Mapping[str, Mapping[str, Any]]:
    """Judge the challenger on the batch's labelled rows; a batch whose release is recorded keeps its verdict."""
    promise, this, trained = read_contract(contract), Batch.read(batch), Record.read(record)
    client = connect()
    run_id = batch_run(client, promise.name, this.id, {"tidegate.until": this.end[:10]})
    policy = {"margin": margin, "slice_rows": slice_rows, "calibration": calibration, "leak": leak}
    question = {"challenger": trained.digest, "policy": policy}
    pages = {"report.html": report, "curves.json": curves}
    costs: dict[str, float] = {}
    answer = _released(client, run_id, question, pages)
    if answer is None:
        paths = {"clean": clean, "features": features, "model": model, "baselines": baselines, **pages}
        answer, costs = _judge(client, promise, this, question, paths, trained)
        # With them a release finds them again.
        logs.files(client, run_id, {approvals.file: approvals.text_of(answer), **pages}, approvals.place_of(answer))
    found = _metrics(answer, TASKS[promise.task].metrics)
    write_json(verdict, answer)
    write_json(metrics, {"accepted": int(answer["accepted"]), **found})
    _tell(client, run_id, this, answer, found, costs)
    return {"metrics": _shown(answer, found), "curves": read_json(curves)}


def _released(
    client: MlflowClient, run_id: str, question: Mapping[str, Any], pages: Mapping[str, Path]
) -> dict[str, Any] | None:
    """The verdict that was released, if any, with its pages."""
    released = records.recorded(client, run_id, records.question("release", question), seen(client, run_id))
    if released is None:
        return None
    verdict: dict[str, Any] = released["verdict"]
    for name, path in pages.items():
        write_text(path, logs.text(client, run_id, f"{approvals.place_of(verdict)}/{name}"))
    return verdict


def _key(batch: Batch, question: Mapping[str, Any], champion: str | None) -> str:
    """The name of a verdict: who was judged by which policy on which batch against whom."""
    asked = {"batch": batch.id, "champion": champion, **{name: question[name] for name in ("challenger", "policy")}}
    return records.question("verdict", asked).partition(".")[2]


def _judge(
    client: MlflowClient,
    contract: Contract,
    batch: Batch,
    question: Mapping[str, Any],
    paths: Mapping[str, Path],
    record: Record,
) -> tuple[dict[str, Any], dict[str, float]]:
    """Judge anew and write the pages; also what the challenger costs. InputError when the rows cannot judge."""
    rows = labelled(read_table(paths["features"], "features"), contract, batch)
    champion = load_champion(client, contract.name)
    predicted = predictions(champion, rows, paths, contract, batch, record)
    version = champion.version if champion else None
    others, costs = probed(paths["model"], record, rows, contract, batch, question["policy"])
    earlier = earlier_verdicts(client, contract.name, _key(batch, question, version), batch)
    answer = judged(contract, batch, question, version, rows, predicted, record.rows, others, earlier)
    label, weight = labels(rows, contract.label, contract.task), weights(rows, contract.weight)
    write_verdict(paths["report.html"], contract, batch, answer, panels(contract.task, label, predicted, weight))
    write_json(paths["curves.json"], classification(label, predicted["challenger"], contract.task, weight))
    return answer, costs


def _metrics(verdict: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """The metrics of every model that have a value."""
    return {found["model"]: {name: found[name] for name in names if name in found} for found in verdict["models"]}


def _shown(verdict: Mapping[str, Any], found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """What Kubeflow shows: whether it was accepted, the challenger's metrics and the champion's."""
    champion = {f"champion.{name}": value for name, value in found.get("champion", {}).items()}
    return {"accepted": int(verdict["accepted"]), **found["challenger"], **champion}


def _tell(
    client: MlflowClient,
    run_id: str,
    batch: Batch,
    verdict: Mapping[str, Any],
    found: Mapping[str, Mapping[str, float]],
    costs: Mapping[str, float],
) -> None:
    """Log the verdict with its metrics, and that it used the batch's rows, with the batch's run; print why."""
    metrics = [Point(f"{model}.{name}", value) for model, item in found.items() for name, value in item.items()]
    metrics += [Point(f"challenger.{name}", value) for name, value in costs.items()]
    word = "accepted" if verdict["accepted"] else "refused"
    reasons = "; ".join(verdict["reasons"])[:longest_tag]
    note = noted(_key(batch, verdict, verdict["champion"]), batch, verdict["earlier_verdicts"])
    tags = {"tidegate.verdict": word, "tidegate.verdict.reasons": reasons, **note}
    logs.values(client, run_id, metrics=metrics, tags=tags)
    for reason in verdict["reasons"]:
        print(f"{word}: {reason}")
