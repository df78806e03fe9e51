"""What people say of decisions, on every store: it is in the journal, moves nothing, and the last word holds."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.decisions import compared, decision, signal
from tidegate.documents.decision import Feedback
from tidegate.process.errors import InputError
from tidegate.tracking import batch_runs, decisions, feedback, journal, numbered, run_data, store
from tidegate.tracking.decisions import PastDecision
from tidegate.tracking.entries import Entry
from tidegate.tracking.tags import Tag

when = "2024-06-01T00:00:00+00:00"


@pytest.fixture
def client(uri: str, name: str) -> MlflowClient:
    """Three batches were decided: one from before decisions were noted, one of an experiment."""
    found = store.connect()
    told = {"tidegate.decision": "keep", "tidegate.champion": "1", "tidegate.rows": "7"}
    notes = decisions.noted(decision("keep", compared()), 0.5)
    for batch, until, tags in (
        ("ab12", "2024-03-01", {}),
        ("ab34", "2024-04-01", notes),
        ("cd56", "2024-05-01", {**notes, "tidegate.experiment": "wide"}),
    ):
        run_id = batch_runs.batch_run(found, name, batch, {"tidegate.until": until})
        run_data.values(found, run_id, tags={**told, **tags})
    return found


def given(**changed: Any) -> Feedback:
    return replace(Feedback("batch", "ab12", "wrong", "", "ann", when, "snow"), **changed)


def serve(client: MlflowClient, name: str) -> None:
    numbered.ensure(client, name)
    client.create_model_version(name, "s3://nowhere/model", tags={Tag.DIGEST: "d"})
    journal.promote(client, name, Entry(None, "1", "ab12", "loop", when, "first"))


def test_a_word_is_written_once_before_and_after_there_is_a_champion(client: MlflowClient, name: str) -> None:
    assert feedback.current(journal.history(client, name)) == []
    assert feedback.add(client, name, given())
    assert not feedback.add(client, name, given(when="2025-01-01T00:00:00+00:00"))
    serve(client, name)
    ignored = given(kind="ignore", about="temp", said="", until="2024-09-01")
    assert feedback.add(client, name, ignored)
    assert journal.champion(client, name) == "1" and [it.to for it in journal.history(client, name).counted] == ["1"]
    assert feedback.current(journal.history(client, name)) == [given(), ignored]


def test_the_last_word_holds(client: MlflowClient, name: str) -> None:
    serve(client, name)
    for said in ("wrong", "right", "wrong"):
        assert feedback.add(client, name, given(said=said))
    assert feedback.current(journal.history(client, name)) == [given(said="wrong")]
    assert len(journal.history(client, name).feedback) == 3


def test_judges_who_race_with_a_promotion_lose_nothing(client: MlflowClient, name: str) -> None:
    serve(client, name)
    client.create_model_version(name, "s3://nowhere/model", tags={Tag.DIGEST: "e"})
    batches = ["ab12", "ab34", "cd56", "ab12"]
    with ThreadPoolExecutor(4) as pool:
        said = [pool.submit(feedback.add, client, name, given(who=f"ann{it}", about=batches[it])) for it in range(4)]
        moved = journal.promote(client, name, Entry("1", "2", "ab34", "loop", when, "better"))
        assert all(it.result() for it in said) and moved.counted
    assert {it.who for it in journal.history(client, name).feedback} == {f"ann{it}" for it in range(4)}
    assert journal.champion(client, name) == "2"


@pytest.mark.parametrize(("given", "batch"), [("ab34", "ab34"), ("cd", "cd56"), ("2024-03-01", "ab12")])
def test_a_batch_is_found(client: MlflowClient, name: str, given: str, batch: str) -> None:
    assert feedback.decided_batch(client, name, given) == batch


@pytest.mark.parametrize(
    ("given", "found"), [("ab", "ab12 (2024-03-01), ab34 (2024-04-01)"), ("x", "none"), ("", "none")]
)
def test_a_batch_that_is_not_one_is_named(client: MlflowClient, name: str, given: str, found: str) -> None:
    with pytest.raises(InputError) as raised:
        feedback.decided_batch(client, name, given)
    assert f"found {found}; " in str(raised.value)


def test_the_past_is_told_from_the_notes(client: MlflowClient, name: str) -> None:
    run = batch_runs.batch_run(client, name, "ab34", {})
    run_data.values(client, run, tags={"tidegate.champion": "2"})  # as a release does
    first, second = decisions.past(batch_runs.batches(client, name), "2024-06-01T00:00:00")
    assert first == PastDecision("2024-03-01", "ab12", "keep", None, 7, None, {})
    assert (second.batch, second.loss, second.signals["decay"]) == ("ab34", 0.5, (0.034, 0.02))
    assert (second.champion, second.promised) == ("1", 0.537)
    assert [each.batch for each in decisions.past(batch_runs.batches(client, name), "2024-04-01")] == ["ab12"]


def test_a_note_of_many_signals_with_long_names_fits_a_tag() -> None:
    signals = [signal(f"{place} {'x' * 600}", "features", "opens", 1.0, 0.1) for place in range(500)]
    (text,) = decisions.noted(decision("keep", signals), None).values()
    assert 3000 < len(text) <= decisions.LONGEST and next(iter(json.loads(text)["signals"])).startswith("0 ")
