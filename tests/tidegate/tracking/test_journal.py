import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.documents import VERDICT
from tidegate.process.errors import TrackingError
from tidegate.tracking import journal, numbered, store
from tidegate.tracking.entries import Entry
from tidegate.tracking.tags import Tag

Spawn = Callable[..., subprocess.Popen[str]]
Call = Callable[..., tuple[str, str]]
Rounds = Callable[..., int]
crowd = 8


def registered(client: MlflowClient, name: str, count: int) -> None:
    """Versions 1 to `count`, scored in an order that is not theirs."""
    numbered.ensure(client, name)
    for version in range(1, count + 1):
        tags = {"score": str((version * 5) % count / count), Tag.DIGEST: f"digest{version}"}
        client.create_model_version(name, "s3://nowhere/model", tags=tags)


def served(client: MlflowClient, name: str) -> str:
    """The version behind the alias; a number on sqlite, text from a server."""
    return str(client.get_model_version_by_alias(name, journal.ALIAS).version)


def promotion(before: str | None, to: str, batch: str = "") -> Entry:
    return Entry(before, to, batch or f"batch{to}", "ann", "2013-03-01", "better", VERDICT.summary)


@pytest.fixture
def client(uri: str, name: str) -> MlflowClient:
    found = store.connect()
    registered(found, name, 3)
    return found


def test_there_is_no_champion_before_the_first_promotion(client: MlflowClient, name: str) -> None:
    assert journal.champion(client, name) is None
    assert journal.champion(client, f"{name}-never-registered") is None


def test_a_promotion_is_one_entry_however_often_it_is_run(client: MlflowClient, name: str) -> None:
    outcomes = {journal.promote(client, name, promotion(None, "1")) for _ in range(3)}
    assert outcomes == {journal.Outcome(1, True, "1")}
    assert journal.champion(client, name) == "1"
    (entry,) = journal.history(client, name).counted
    assert (entry.who, entry.why, entry.verdict, entry.digest) == ("ann", "better", VERDICT.summary, "digest1")


def test_who_comes_too_late_learns_the_new_champion(client: MlflowClient, name: str) -> None:
    journal.promote(client, name, promotion(None, "1"))
    assert journal.promote(client, name, promotion(None, "2")) == journal.Outcome(2, False, "1")
    assert journal.promote(client, name, promotion(None, "2")) == journal.Outcome(2, False, "1")
    assert journal.promote(client, name, promotion("1", "2")) == journal.Outcome(3, True, "2")


def test_a_rollback_is_an_entry_and_running_the_batch_again_respects_it(client: MlflowClient, name: str) -> None:
    journal.promote(client, name, promotion(None, "1"))
    journal.promote(client, name, promotion("1", "2"))
    journal.promote(client, name, promotion("2", "1", "rollback"))
    assert journal.promote(client, name, promotion("1", "2")) == journal.Outcome(2, True, "1")


def test_an_alias_moved_or_deleted_by_hand_is_named_and_set_right(
    client: MlflowClient, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.promote(client, name, promotion(None, "1"))
    told = (
        f"warning: alias champion of {name}: expected version 1, as in {name}.journal, found {{}}; it is corrected\n"
    )
    client.set_registered_model_alias(name, journal.ALIAS, "3")
    assert journal.champion(client, name) == "1"
    assert capsys.readouterr().err == told.format("3")
    assert served(client, name) == "1"
    client.delete_registered_model_alias(name, journal.ALIAS)
    assert journal.champion(client, name) == "1"
    assert capsys.readouterr().err == told.format("none")
    assert served(client, name) == "1"


def test_a_version_that_does_not_exist_cannot_be_promoted(client: MlflowClient, name: str) -> None:
    with pytest.raises(TrackingError, match="version 9"):
        journal.promote(client, name, promotion(None, "9"))
    assert journal.champion(client, name) is None


def drop_champion(client: MlflowClient, name: str) -> None:
    client.delete_model_version(name, "2")


def drop_model(client: MlflowClient, name: str) -> None:
    client.delete_registered_model(name)


def drop_journal(client: MlflowClient, name: str) -> None:
    client.delete_registered_model(journal.journal_of(name))


def drop_first_entry(client: MlflowClient, name: str) -> None:
    client.delete_model_version(journal.journal_of(name), "1")


def drop_last_entry(client: MlflowClient, name: str) -> None:
    client.delete_model_version(journal.journal_of(name), "2")


def begin_the_model_anew(client: MlflowClient, name: str) -> None:
    client.delete_registered_model(name)
    numbered.ensure(client, name)
    for _ in range(2):
        client.create_model_version(name, "s3://nowhere/another", tags={Tag.DIGEST: "another"})


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (drop_champion, "{0} version 2"),
        (drop_model, "{0} version 2"),
        (begin_the_model_anew, "{0} version 2"),
        (drop_journal, "{0}.journal"),
        (drop_first_entry, "{0}.journal"),
        (drop_last_entry, "{0}.journal"),
    ],
)
def test_what_was_deleted_is_noticed_and_named(
    client: MlflowClient, name: str, damage: Callable[[MlflowClient, str], None], named: str
) -> None:
    journal.promote(client, name, promotion(None, "1"))
    journal.promote(client, name, promotion("1", "2"))
    damage(client, name)
    with pytest.raises(TrackingError) as caught:
        journal.champion(client, name)
    assert str(caught.value).startswith(named.format(name) + ":")
    assert "\n" not in str(caught.value)


def test_a_deleted_champion_can_be_replaced(client: MlflowClient, name: str) -> None:
    journal.promote(client, name, promotion(None, "1"))
    client.delete_model_version(name, "1")
    assert journal.promote(client, name, promotion("1", "2")).counted
    assert journal.champion(client, name) == "2"


steps = """
import os, sys
from tidegate.tracking import journal, numbered, store, versions
from tidegate.tracking.entries import Entry
name, stop = sys.argv[1], int(sys.argv[2])
client = store.connect()
entry = Entry("1", "2", "batch2", "ann", "2013-03-01", "better", {})
for number, step in enumerate([
    lambda: journal.history(client, name),
    lambda: numbered.ensure(client, journal.journal_of(name)),
    lambda: journal.append(client, name, entry),
    lambda: client.set_registered_model_alias(name, journal.ALIAS, "2"),
    lambda: journal.repair(client, name),
]):
    if number == stop:
        os._exit(0)
    step()
"""


@pytest.mark.parametrize("stop", range(6))
def test_a_kill_between_two_steps_leaves_a_champion_and_the_next_run_ends_it(
    client: MlflowClient, name: str, stop: int, tmp_path: Path, call: Call
) -> None:
    journal.promote(client, name, promotion(None, "1"))
    call(tmp_path, steps, name, str(stop))
    assert journal.champion(client, name) == ("2" if stop > 2 else "1")
    assert journal.promote(client, name, promotion("1", "2")) == journal.Outcome(2, True, "2")
    assert served(client, name) == "2"


def test_of_racing_promoters_the_best_wins_and_every_attempt_is_in_the_journal(
    uri: str, name: str, tmp_path: Path, spawn: Spawn, rounds: Rounds
) -> None:
    client = store.connect()
    names = [f"{name}-{turn}" for turn in range(rounds(40, 4))]
    for each in names:
        registered(client, each, crowd)
    promoters = spawn(tmp_path, str(Path(__file__).with_name("promoter.py")), str(tmp_path), str(crowd), *names)
    for turn in range(len(names)):
        while len(list(tmp_path.glob(f"ready-{turn}-*"))) < crowd:
            assert promoters.poll() is None, promoters.communicate()
            time.sleep(0.02)
        (tmp_path / f"go-{turn}").touch()
    told = promoters.communicate()
    assert promoters.returncode == 0, told
    for turn, each in enumerate(names):
        check(client, each, [json.loads(path.read_text()) for path in tmp_path.glob(f"done-{turn}-*")])


def check(client: MlflowClient, name: str, attempts: list[list[int]]) -> None:
    history = journal.history(client, name)
    scores = [-entry.verdict.loss for entry in history.counted if entry.verdict]
    best = max(numbered.listed(client, name), key=lambda version: float(version.tags["score"]))
    assert journal.champion(client, name) == str(best.version)
    assert scores == sorted(set(scores))
    numbers = sorted(entry.number for entry in history.entries)
    assert {entry.to for entry in history.entries} == {str(version) for version in range(1, crowd + 1)}
    assert numbers == sorted(number for attempt in attempts for number in attempt)
    assert served(client, name) == str(best.version)
