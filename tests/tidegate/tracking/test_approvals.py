"""What a person says of versions, on every store: an approval moves the champion, a rejection keeps it from moving."""

import json

import pytest
from mlflow import MlflowClient

from tests.documents import verdict_of
from tidegate.process.errors import TrackingError
from tidegate.tracking import approvals, batch_runs, journal, numbered, run_data, store, versions
from tidegate.tracking.entries import Entry
from tidegate.tracking.tags import Tag

when = "2024-06-01T00:00:00+00:00"
verdict = verdict_of(champion="1", reasons=("better",))


@pytest.fixture
def client(uri: str, name: str) -> MlflowClient:
    """Version 1 serves; version 2 was accepted against it and waits."""
    found = store.connect()
    numbered.ensure(found, name)
    run_id = batch_runs.batch_run(found, name, "ab12", {})
    run_data.files(found, run_id, {approvals.FILE: approvals.text_of(verdict)}, approvals.place_of(verdict))
    for version in ("1", "2"):
        tags = {
            Tag.DIGEST: f"digest{version}",
            "tidegate.until": "2024-05-01",
            **approvals.tags_of(verdict, "manual"),
        }
        found.create_model_version(name, "s3://nowhere/model", run_id, tags=tags)
    journal.promote(found, name, Entry(None, "1", "batch1", "loop", when, "first"))
    return found


def test_the_whole_verdict_is_filed_and_what_waits_is_listed(client: MlflowClient, name: str) -> None:
    assert approvals.whole(client, name, "2", ()) == verdict
    (row,) = approvals.waiting(client, name)
    assert (row.version, row.holds, row.verdict.reasons) == ("2", True, ("better",))


def test_an_approval_moves_the_champion_once(client: MlflowClient, name: str) -> None:
    approvals.approve(client, name, "2", "ann", when, "fine", ())
    with pytest.raises(TrackingError, match="found the champion; nothing is left to do"):
        approvals.approve(client, name, "2", "bob", when, "a reason that would be lost", ())
    assert journal.champion(client, name) == "2"
    assert [entry.kind for entry in journal.history(client, name).entries] == ["promotion", "approval"]
    assert approvals.waiting(client, name) == []


def test_a_rejection_keeps_the_loop_from_promoting(client: MlflowClient, name: str) -> None:
    approvals.reject(client, name, "2", "ann", when, "no")
    with pytest.raises(TrackingError, match="found one that ann has rejected: no; nothing is left to do"):
        approvals.reject(client, name, "2", "bob", when, "a reason that would be lost")
    outcome = journal.promote(client, name, Entry("1", "2", "batch2", "loop", when, "better"))
    assert (outcome.counted, outcome.champion) == (False, "1")
    assert [entry.kind for entry in journal.history(client, name).rejected] == ["rejection"]


def test_a_verdict_file_that_was_altered_is_refused(client: MlflowClient, name: str) -> None:
    tags = versions.tags_of(client, name, "2")
    other = json.dumps({**json.loads(tags[Tag.VERDICT]), "digest": "0" * 64})
    client.set_model_version_tag(name, "2", Tag.VERDICT, other)
    with pytest.raises(TrackingError):
        approvals.whole(client, name, "2", ())
