"""What there is to review, on every store: the files of the decision that holds, each fetched once."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.decisions import decision
from tidegate.documents.decision import Answer
from tidegate.tracking import batch_runs, records, reviews, run_data, store


def decide(client: MlflowClient, name: str, batch: str, answer: Answer, folder: str, files: dict[str, str]) -> str:
    run_id = batch_runs.batch_run(client, name, batch, {"tidegate.until": "2024-03-01"})
    run_data.files(client, run_id, files, f"gate/{folder}")
    records.record(client, run_id, folder, decision(answer, reasons=("a", "b")).document())
    run_data.values(client, run_id, tags={"tidegate.decision": answer, "tidegate.reasons": "a; b"})
    return run_id


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return store.connect()


def test_the_files_of_the_decision_that_holds_are_fetched_once(
    client: MlflowClient, name: str, tmp_path: Path
) -> None:
    decide(client, name, "ab12", "keep", "decision.1", {"gate.html": "first"})
    run_id = decide(client, name, "ab12", "retrain", "decision.0", {"gate.html": "second"})
    (one,) = reviews.decided(client, name)
    assert reviews.fetch(client, one, tmp_path, ["gate.html", "evidently.html"]) == ["gate.html"]
    assert (tmp_path / "gate.html").read_text() == "second"
    client.set_terminated(run_id)
    (tmp_path / "gate.html").write_text("mine")
    assert reviews.fetch(client, one, tmp_path, ["gate.html", "evidently.html"]) == ["gate.html"]
    assert (tmp_path / "gate.html").read_text() == "mine"
    decide(client, name, "ab12", "keep", "decision.2", {"gate.html": "third"})
    (again,) = reviews.decided(client, name)
    assert reviews.fetch(client, again, tmp_path, ["gate.html"]) == ["gate.html"]
    assert (tmp_path / "gate.html").read_text() in ("first", "third")


def test_a_decision_without_files_is_reviewed_too(client: MlflowClient, name: str, tmp_path: Path) -> None:
    run_id = batch_runs.batch_run(client, name, "../../x", {"tidegate.until": "2024-03-01"})
    assert reviews.decided(client, name) == []
    run_data.values(client, run_id, tags={"tidegate.decision": "keep"})
    (one,) = reviews.decided(client, name)
    assert reviews.fetch(client, one, tmp_path, ["gate.html"]) == []
    assert len(one.place) == 64 and one.place.isalnum()


def test_only_a_server_has_a_page_of_the_run(client: MlflowClient, name: str, uri: str) -> None:
    decide(client, name, "ab12", "keep", "decision.1", {})
    (one,) = reviews.decided(client, name)
    assert (one.link(client.tracking_uri) is None) == uri.startswith("sqlite")
    assert one.link("https://ann:secret@host:5000/") == (
        f"https://host:5000/#/experiments/{one.runs[0].info.experiment_id}/runs/{one.runs[0].info.run_id}"
    )
