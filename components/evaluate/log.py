"""What MLflow holds of an evaluation, with the batch's run: the verdict, its pages, its metrics, and what it used."""

from collections.abc import Mapping
from pathlib import Path

from tidegate.documents.batch import Batch
from tidegate.documents.formats import write_text
from tidegate.documents.release import Release
from tidegate.documents.verdict import Question, Verdict
from tidegate.process.context import experiment
from tidegate.tracking import approvals, records, run_data
from tidegate.tracking.alerts import Alert, alert
from tidegate.tracking.batch_runs import last_read
from tidegate.tracking.reader import Client
from tidegate.tracking.run_data import Point
from tidegate.tracking.tags import Tag
from tidegate.tracking.uses import noted

LONGEST_TAG = 4000


def verdict_key(batch: Batch, question: Question, champion: str | None) -> str:
    """The name of a verdict: which challenger, by which policy, on which batch, against which champion."""
    full_question = {"batch": batch.id, "champion": champion, **question.document()}
    return records.question("verdict", full_question).partition(".")[2]


def released(client: Client, run_id: str, question: Question, pages: Mapping[str, Path]) -> Verdict | None:
    """The verdict that was released, if any; writes its pages."""
    name = records.question("release", question.document())
    record = records.recorded(client, run_id, name, last_read(client, run_id))
    if record is None:
        return None
    verdict = Release.of(record, f"{name} of run {run_id}").verdict
    for page, path in pages.items():
        write_text(path, run_data.page(client, run_id, f"{approvals.place_of(verdict)}/{page}"))
    return verdict


def log_files(client: Client, run_id: str, verdict: Verdict, pages: Mapping[str, Path]) -> None:
    """Log a new verdict and its pages: with them a release finds them again."""
    run_data.files(client, run_id, {approvals.FILE: approvals.text_of(verdict), **pages}, approvals.place_of(verdict))


def log_verdict(
    client: Client,
    run_id: str,
    batch: Batch,
    verdict: Verdict,
    metrics: Mapping[str, Mapping[str, float]],
    costs: Mapping[str, float],
) -> None:
    """Log what a verdict says, all metrics, the challenger's costs, and that it used the rows; tell of a refusal."""
    points = [Point(f"{model}.{name}", value) for model, own in metrics.items() for name, value in own.items()]
    points += [Point(f"challenger.{name}", value) for name, value in costs.items()]
    key = verdict_key(batch, verdict.question, verdict.champion)
    tags = {
        Tag.VERDICT: verdict.word,
        Tag.VERDICT_REASONS: "; ".join(verdict.reasons)[:LONGEST_TAG],
        **noted(key, batch, verdict.earlier_verdicts),
    }
    run_data.values(client, run_id, metrics=points, tags=tags)
    if not verdict.accepted and not experiment():
        about = f"batch {batch.start[:10]} to {batch.end[:10]}"
        alert(client, run_id, Alert("verdict refused", batch.name, about, verdict.word, verdict.reasons), key)
