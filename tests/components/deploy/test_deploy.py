"""What becomes of a verdict: a version, an entry and an alias, or nothing at all."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from mlflow import MlflowClient

from tests.decisions import decision
from tests.documents import verdict_of
from tidegate.components.deploy.release import refusal
from tidegate.documents.verdict import Verdict
from tidegate.tracking.champion import load_champion
from tidegate.tracking.journal import history
from tidegate.tracking.numbered import listed
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]


def registry() -> tuple[list[str], list[tuple[str | None, str]], str | None]:
    """The versions, the entries that counted, and where the alias points."""
    client: MlflowClient = connect()
    versions = [str(version.version) for version in listed(client, "toy")]
    alias = str(client.get_registered_model("toy").aliases.get("champion")) if versions else None
    return versions, [(entry.before, entry.to) for entry in history(client, "toy").counted], alias


def test_an_accepted_challenger_becomes_champion(released: "World") -> None:
    assert registry() == (["1"], [(None, "1")], "1")
    found = released.json("release")
    assert (found["promoted"], found["version"], found["champion"], found["until"]) == (True, "1", "1", "2024-04-01")
    assert found["reason"].startswith("retrained because there is no champion yet; accepted because holds against")
    tail = history(connect(), "toy").tail
    assert tail
    assert (tail.who, tail.batch, tail.why) == ("tester", found["batch"], found["reason"])
    assert tail.verdict and tail.verdict.loss == released.json("verdict")["loss"]


def test_the_version_carries_itself(released: "World") -> None:
    champion = load_champion(connect(), "toy", ())
    assert champion
    assert champion.sql == (released / "features.sql").read_text()
    assert champion.record.document() == released.json("record")
    assert champion.features == {"shop": "category", "price": "number", "rate": "number"}
    assert list(champion.reference) == ["at", "returned", "shop", "price", "rate", "prediction"]
    assert len(champion.reference) == champion.record.rows == 756
    tags = listed(connect(), "toy")[0].tags
    assert tags["tidegate.data"] == released.json("manifest")["data"]
    assert tags["tidegate.trained_to"] == "2024-03-03T22:00:00"


def test_the_next_one_follows(judged: "World") -> None:
    judged.run("deploy")
    assert registry() == (["1", "2"], [(None, "1"), ("1", "2")], "2")


@pytest.mark.parametrize("again", ["the same", "the record is lost", "it died before its record"])
def test_deploying_twice_makes_one_version(again: str, released: "World") -> None:
    before = (released / "release.json").read_bytes()
    if again == "the record is lost":
        (released / "release.json").unlink()
    elif again == "it died before its record":
        client = connect()
        path = client.tracking_uri.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM params WHERE key LIKE 'tidegate.release.%'")
    released.run("deploy")
    assert (released / "release.json").read_bytes() == before
    assert registry() == (["1"], [(None, "1")], "1")


def refuse(world: "World") -> None:
    world.file_verdict(accepted=False, reasons=["it is worse"])


def test_a_refused_challenger_leaves_no_trace_in_the_registry(trained: "World") -> None:
    refuse(trained)
    trained.run("deploy")
    found = trained.json("release")
    assert (found["promoted"], found["version"], found["champion"], found["reason"]) == (
        False,
        None,
        None,
        "it is worse",
    )
    assert registry() == ([], [], None)


def test_a_refused_challenger_leaves_the_champion(judged: "World") -> None:
    refuse(judged)
    judged.run("deploy")
    assert judged.json("release")["champion"] == "1"
    assert registry() == (["1"], [(None, "1")], "1")


def test_an_experiment_is_never_promoted_and_decides_nothing(judged: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("DVC_EXP_NAME", "brisk-otter")
        judged.run("deploy")
    found = judged.json("release")
    assert (found["promoted"], found["experiment"]) == (False, "brisk-otter")
    assert found["reason"] == "experiment brisk-otter: evaluated, never promoted"
    assert registry() == (["1"], [(None, "1")], "1")
    judged.run("deploy")  # the same batch in earnest
    assert judged.json("release")["promoted"]
    assert registry()[2] == "2"


def test_a_champion_that_changed_since_the_verdict_stops_the_promotion(judged: "World", fails: Fails) -> None:
    before = (judged / "release.json").read_bytes()
    judged.file_verdict(champion=None)
    (line,) = fails(judged, "deploy")
    assert line == (
        "promotion of toy version 2: expected champion none, as evaluated, found champion 1; run `tidegate run` "
        "again: it will be evaluated against the new champion"
    )
    assert registry()[1:] == ([(None, "1")], "1")
    assert (judged / "release.json").read_bytes() == before


def test_another_model_than_the_one_that_train_logged_is_not_promoted(trained: "World", fails: Fails) -> None:
    trained.edit("features.sql", ("SELECT", "SELECT "))  # for its batch it is the same, for a person it is not
    (line,) = fails(trained, "deploy")
    assert "expected the model that train logged, found none" in line
    assert registry() == ([], [], None)


accepted = verdict_of(batch="b", reasons=("fine",))


@pytest.mark.parametrize(
    ("verdict", "experiment", "reason"),
    [
        (accepted, None, None),
        (accepted, "x", "experiment x: evaluated, never promoted"),
        (replace(accepted, accepted=False, reasons=("worse", "weak")), None, "worse; weak"),
    ],
)
def test_why_not(verdict: Verdict, experiment: str | None, reason: str | None) -> None:
    assert refusal(replace(decision("retrain"), batch="b"), verdict, experiment) == reason
