"""What the steps `gate` and `deploy` leave in MLflow of a batch, written with their own documents."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.documents import POLICY, batch_of, release_of, verdict_of
from tidegate.components.gate.decision import decision_of
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Answer, ChampionModel, Policy
from tidegate.documents.parameters import read_parameters
from tidegate.tracking import records, run_data
from tidegate.tracking.batch_runs import batch_run
from tidegate.tracking.entries import Entry
from tidegate.tracking.journal import promote
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag

policy = Policy(**read_parameters(Path(__file__).parents[3] / "params.yaml")["gate"])


def decide(answer: Answer, until: str = "2013-04-01", kubeflow_run: str = "", **changed: Any) -> str:
    """Record a decision about the four weeks before `until`, with a policy changed so; returns the run in MLflow."""
    asked = replace(policy, **changed)
    client, batch = connect(), _batch(until)
    run_id = batch_run(client, "flights", batch.id, {"tidegate.until": until})
    decision = decision_of(batch, ChampionModel("1", "d" * 64), answer, [f"it was told to {answer}"], [], asked)
    key = records.question("decision", asked.document())
    records.record(client, run_id, key, decision.document())
    told = {"tidegate.decision": answer, "tidegate.reasons": "; ".join(decision.reasons)}
    run_data.values(client, run_id, tags={**told, "tidegate.rows": str(batch.rows), "tidegate.champion": "1"})
    if kubeflow_run:
        run_data.values(client, run_id, tags={Tag.KUBEFLOW_RUN: kubeflow_run})
    return run_id


def release(until: str = "2013-04-01", margin: float = 0.0, notes: tuple[str, ...] = ()) -> None:
    """Record an accepted challenger as version 1, the first champion."""
    client, batch = connect(), _batch(until)
    run_id = batch_run(client, "flights", batch.id, {"tidegate.until": until})
    verdict = verdict_of(batch=batch.id, policy=replace(POLICY, margin=margin), champion=None, notes=notes)
    answer = release_of(batch=batch.id, until=until, version="1", champion="1", reason="accepted", verdict=verdict)
    records.record(client, run_id, records.question("release", verdict.question.document()), answer.document())
    client.create_registered_model("flights")
    client.create_model_version("flights", f"runs:/{run_id}/model", tags={Tag.DIGEST: "d" * 64})
    when = f"{until}T06:00:00+00:00"
    promote(client, "flights", Entry(None, "1", batch.id, "ada", when, "accepted", verdict.summary))


def _batch(until: str) -> Batch:
    return batch_of(id=f"{until.replace('-', '')}89abcdef", end=f"{until}T00:00:00")
