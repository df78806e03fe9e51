"""The command of evaluate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tidegate.components.evaluate.challenger_checks import challenger_checks
from tidegate.components.evaluate.classification import classification
from tidegate.components.evaluate.contestants import predictions
from tidegate.components.evaluate.evaluation import Evaluation, labelled
from tidegate.components.evaluate.evaluation import verdict as verdict_on
from tidegate.components.evaluate.log import log_files, log_verdict, released, verdict_key
from tidegate.components.evaluate.page import write_verdict
from tidegate.components.evaluate.pictures import panels
from tidegate.components.evaluate.recorded import beside
from tidegate.components.evaluate.suspicions import suspicions_of
from tidegate.contract.contract import Contract, parse_contract
from tidegate.documents.batch import Batch
from tidegate.documents.digests import check
from tidegate.documents.formats import read_json, read_table, read_text, write_json
from tidegate.documents.record import Record
from tidegate.documents.verdict import Policy, Question, Verdict
from tidegate.process.command import Output
from tidegate.process.keys import Trusted, trusted
from tidegate.scoring.scores import labels
from tidegate.scoring.tasks import TASKS, Task
from tidegate.tables.recipe import check_trained, read_batch
from tidegate.tracking.batch_runs import batch_run
from tidegate.tracking.champion import load_champion
from tidegate.tracking.reader import Client
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag
from tidegate.tracking.uses import earlier_verdicts


@dataclass(frozen=True)
class Inputs:
    """What is evaluated, as it was read; `paths` are the files of inputs that are read later, and of the pages.

    `recordings` is where the champion's server records, None without a shadow.
    """

    contract: Contract
    batch: Batch
    record: Record
    question: Question
    paths: Mapping[str, Path]
    trusted: Trusted
    recordings: str | None


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
    sign: str,
    shadow: bool,
    recordings: str,
    verdict: Output,
    report: Output,
    metrics: Output,
    curves: Output,
) -> Mapping[str, Mapping[str, Any]]:
    """Evaluate the challenger on the batch's labelled rows; a batch whose release is recorded keeps its verdict.

    With `shadow` it is also asked what the champion's server has recorded at `recordings`, which decides nothing.
    """
    pages = {"report.html": report, "curves.json": curves}
    paths = {"clean": clean, "features": features, "model": model, "baselines": baselines, **pages}
    policy, place = Policy(margin, slice_rows, calibration, leak), recordings if shadow else None
    inputs = _inputs(batch, contract, record, policy, paths, sign, place)
    client = connect()
    run_id = batch_run(client, inputs.contract.name, inputs.batch.id, {Tag.UNTIL: inputs.batch.end[:10]})
    result = released(client, run_id, inputs.question, pages)
    costs: Mapping[str, float] = {}
    if result is None:
        result, costs = _evaluated(client, inputs)
        log_files(client, run_id, result, pages)
    values = _metrics(result, TASKS[inputs.contract.task])
    result.write(verdict)
    losses = [{"model": item.model, "loss": item.loss} for item in result.models]  # for `dvc plots`
    write_json(metrics, {"accepted": int(result.accepted), **values, "models": losses})
    log_verdict(client, run_id, inputs.batch, result, values, costs)
    for reason in result.reasons:
        print(f"{result.word}: {reason}")
    for note in result.notes:
        print(f"note: {note}")
    for line in result.shadow.lines if result.shadow else ():
        print(f"shadow: {line}")
    return {"metrics": _kubeflow_metrics(result, values), "curves": read_json(curves)}


def _inputs(
    batch: Path,
    contract: Path,
    record: Path,
    policy: Policy,
    paths: Mapping[str, Path],
    sign: str,
    recordings: str | None,
) -> Inputs:
    """Read what is evaluated; InputError unless all of it belongs to one batch."""
    trained, text = Record.read(record), read_text(contract)
    this = read_batch(batch, {"contract": text})
    check(this.digests, clean=paths["clean"], features=paths["features"])
    check_trained(trained, this)
    question = Question(trained.digest, policy)
    return Inputs(parse_contract(text, str(contract)), this, trained, question, paths, trusted(sign), recordings)


def _evaluated(client: Client, inputs: Inputs) -> tuple[Verdict, dict[str, float]]:
    """A new verdict, with its pages written, and what the challenger costs; InputError when the rows do not do."""
    contract, batch, question = inputs.contract, inputs.batch, inputs.question
    rows = labelled(read_table(inputs.paths["features"], "features"), contract, batch)
    champion = load_champion(client, contract.name, inputs.trusted)
    predicted = predictions(champion, rows, inputs.paths, contract, batch, inputs.record)
    version = champion.version if champion else None
    checks, costs = challenger_checks(inputs.paths["model"], inputs.record, rows, contract, batch, question.policy)
    evaluation = Evaluation(
        contract,
        batch,
        question,
        version,
        rows,
        predicted,
        training_rows=inputs.record.rows,
        challenger_checks=checks,
        estimator=inputs.record.estimator.estimator,
        importances=inputs.record.importances,
        notes=suspicions_of(rows, inputs.record.features, labels(rows, contract.label, contract.task), contract.task),
        earlier_verdicts=earlier_verdicts(client, contract.name, verdict_key(batch, question, version), batch),
    )
    result = verdict_on(evaluation)
    if inputs.recordings is not None:
        beside_champion = beside(champion, inputs.recordings, inputs.paths["model"], inputs.record, contract.task)
        result = replace(result, shadow=beside_champion)
    label, weight = evaluation.label, evaluation.weight
    pictures = panels(contract.task, label, predicted, weight)
    write_verdict(inputs.paths["report.html"], contract, batch, result, pictures)
    points = classification(label, predicted["challenger"], contract.task, weight)
    write_json(inputs.paths["curves.json"], points)
    return result, costs


def _metrics(verdict: Verdict, task: Task) -> dict[str, dict[str, float]]:
    """The metrics of every model that have a value, in the order of the task."""
    return {
        result.model: {name: result.metrics[name] for name in task.metrics if name in result.metrics}
        for result in verdict.models
    }


def _kubeflow_metrics(verdict: Verdict, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """What Kubeflow shows: whether it was accepted, the challenger's metrics and the champion's."""
    champion = {f"champion.{name}": value for name, value in metrics.get("champion", {}).items()}
    return {"accepted": int(verdict.accepted), **metrics["challenger"], **champion}
