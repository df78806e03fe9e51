"""What the steps `gate` and `deploy` leave in MLflow of a batch, written with their own documents."""

from dataclasses import replace
from typing import Any

from tests.documents import batch_of
from tidegate.components.deploy.release import document as release_of
from tidegate.components.evaluate.checks import against_champion
from tidegate.components.evaluate.paired_difference import Difference
from tidegate.components.evaluate.verdict import document as verdict_of
from tidegate.components.gate.decision import decision_of
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Answer, ChampionModel, Policy
from tidegate.scoring.tasks import TASKS
from tidegate.tracking import logs, records
from tidegate.tracking.entries import Entry
from tidegate.tracking.journal import promote
from tidegate.tracking.models import digest_tag
from tidegate.tracking.outcomes import kubeflow_tag
from tidegate.tracking.runs import batch_run
from tidegate.tracking.store import connect

# As in params.yaml.
policy = Policy(
    mode="auto",
    off="",
    sample_rows=10000,
    minimum_rows=200,
    false_alarm_rate=0.05,
    minimum_effect=0.12,
    prediction_drift=0.25,
    label_drift=0.15,
    decay=0.02,
    max_age_days=365,
    cooldown_days=7,
    max_refused=3,
    refused_days=90,
)
scores = {"challenger": {"log_loss": 0.505, "roc_auc": 0.72}, "champion": {"log_loss": 0.537, "roc_auc": 0.70}}


def decide(answer: Answer, until: str = "2013-04-01", kubeflow_run: str = "", **changed: Any) -> str:
    """Record a decision about the four weeks before `until`, with a policy changed so; returns the run in MLflow."""
    asked = replace(policy, **changed)
    client, batch = connect(), _batch(until)
    run_id = batch_run(client, "flights", batch.id, {"tidegate.until": until})
    decision = decision_of(
        batch, ChampionModel("1", "d" * 64), answer, [f"it was told to {answer}"], [], asked
    )
    key = records.question("decision", asked.document())
    records.record(client, run_id, key, decision.document())
    told = {"tidegate.decision": answer, "tidegate.reasons": "; ".join(decision.reasons)}
    logs.values(client, run_id, tags={**told, "tidegate.rows": str(batch.rows), "tidegate.champion": "1"})
    if kubeflow_run:
        logs.values(client, run_id, tags={kubeflow_tag: kubeflow_run})
    return run_id


def release(until: str = "2013-04-01", margin: float = 0.0) -> None:
    """Record an accepted challenger as version 1, the first champion."""
    client, batch = connect(), _batch(until)
    run_id = batch_run(client, "flights", batch.id, {"tidegate.until": until})
    question = {"challenger": "c" * 64, "policy": {"margin": margin}}
    check = against_champion(Difference(-0.032, -0.05, -0.01), margin, TASKS["binary"])
    verdict = verdict_of(batch, question, None, 24_100, 28, [check], scores, [], TASKS["binary"])
    answer = release_of(batch, verdict, "1", "1", "accepted")
    records.record(client, run_id, records.question("release", question), answer)
    client.create_registered_model("flights")
    client.create_model_version("flights", f"runs:/{run_id}/model", tags={digest_tag: "d" * 64})
    promote(client, "flights", Entry(None, "1", batch.id, "ada", f"{until}T06:00:00+00:00", "accepted", verdict))


def _batch(until: str) -> Batch:
    return batch_of(id=f"{until.replace('-', '')}89abcdef", end=f"{until}T00:00:00")
