"""A person's word: an accepted version waits, is approved or rejected, and the loop never overrules that."""

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mlflow import MlflowClient

from tests.components.deploy.killed import arm
from tests.components.deploy.test_deploy import Fails, registry
from tidegate.commands.reviewing import champions
from tidegate.documents.verdict import Verdict
from tidegate.process.errors import InputError, TrackingError
from tidegate.tracking import approvals
from tidegate.tracking.entries import Entry
from tidegate.tracking.journal import champion, history, promote
from tidegate.tracking.numbered import listed
from tidegate.tracking.outcomes import outcome
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tests.toy import World

ROOT = Path(__file__).parents[3]
when = "2024-06-01T00:00:00+00:00"


def say(word: str, version: str = "2") -> None:
    trusted = [()] if word == "approve" else []
    getattr(approvals, word)(connect(), "toy", version, "ann", when, "because of March", *trusted)


def kinds() -> list[tuple[str, str | None, str]]:
    return [(entry.kind, entry.before, entry.to) for entry in history(connect(), "toy").entries]


@pytest.fixture
def waits(judged: "World") -> "World":
    """Version 1 serves, version 2 was accepted and waits."""
    judged.run("deploy", approval="manual")
    return judged


def test_manual_leaves_the_accepted_version_waiting(waits: "World") -> None:
    found = waits.json("release")
    assert (found["promoted"], found["waiting"], found["version"], found["champion"]) == (False, True, "2", "1")
    assert found["reason"] == "it waits for `tidegate approve 2` or `tidegate reject 2`"
    assert registry() == (["1", "2"], [(None, "1")], "1")
    (row,) = approvals.waiting(connect(), "toy")
    assert (row.version, row.holds, row.verdict.accepted) == ("2", True, True)
    assert approvals.whole(connect(), "toy", "2", ()).document() == waits.json("verdict")


def test_a_run_on_a_cluster_learns_that_it_waits(waits: "World") -> None:
    policies: dict[str, dict[str, Any]] = {"gate": {}, "evaluate": {}}
    _, release = outcome(connect(), "toy", "no run", "2024-05-10", policies)
    assert release and release.document() == waits.json("release")
    say("approve")
    waits.run("deploy", approval="manual")
    _, release = outcome(connect(), "toy", "no run", "2024-05-10", policies)
    assert release and release.document() == waits.json("release") and release.promoted


def test_an_approval_promotes_it_through_the_journal(waits: "World") -> None:
    say("approve")
    assert registry() == (["1", "2"], [(None, "1"), ("1", "2")], "2")
    tail = history(connect(), "toy").tail
    assert tail and (tail.kind, tail.who, tail.when, tail.why) == (
        "approval",
        "ann",
        when,
        "approved: because of March",
    )
    assert tail.verdict and tail.verdict.loss == waits.json("verdict")["loss"]
    say("approve")  # again
    assert len(kinds()) == 2
    waits.run("deploy", approval="manual")
    assert (waits.json("release")["promoted"], waits.json("release")["waiting"]) == (True, False)
    assert approvals.waiting(connect(), "toy") == []


@pytest.mark.parametrize("approval", ["automatic", "manual"])
def test_what_was_rejected_the_loop_does_not_promote(waits: "World", approval: str) -> None:
    say("reject")
    say("reject")  # again
    assert kinds() == [("promotion", None, "1"), ("rejection", "1", "2")]
    waits.run("deploy", approval=approval)
    found = waits.json("release")
    assert (found["promoted"], found["waiting"], found["reason"]) == (False, False, "ann rejected: because of March")
    assert registry() == (["1", "2"], [(None, "1")], "1")
    outcome = promote(connect(), "toy", Entry("1", "2", "another batch", "the loop", when, "better"))
    assert (outcome.counted, outcome.champion) == (False, "1")
    say("approve")  # a person may think again
    assert registry()[2] == "2"


def test_what_was_rolled_back_the_loop_does_not_promote(judged: "World") -> None:
    judged.run("deploy")
    promote(connect(), "toy", Entry("2", "1", "", "ann", when, "rollback: complaints", kind="rollback"))
    for batch in (judged.json("batch")["id"], "another batch"):
        promote(connect(), "toy", Entry("1", "2", batch, "the loop", when, "better"))
        assert champion(connect(), "toy") == "1"
    judged.run("deploy")
    assert champion(connect(), "toy") == "1"
    promote(connect(), "toy", Entry("1", "2", "", "ann", when, "rollback: no complaints", kind="rollback"))
    assert champion(connect(), "toy") == "2"


def test_the_setting_may_be_changed_while_it_waits(waits: "World") -> None:
    waits.run("deploy", approval="automatic")
    assert waits.json("release")["promoted"]
    assert registry()[2] == "2"


def test_never_registers_nothing_and_binds_nobody(judged: "World") -> None:
    judged.run("deploy", approval="never")
    found = judged.json("release")
    assert (found["promoted"], found["version"]) == (False, None)
    assert found["reason"] == "deploy.approval is never: evaluated, not promoted"
    assert registry() == (["1"], [(None, "1")], "1")
    judged.run("deploy", approval="automatic")
    assert registry()[2] == "2"


def test_another_word_is_one_line(judged: "World", fails: Fails) -> None:
    (line,) = fails(judged, "deploy", approval="sometimes")
    assert line.startswith("deploy.approval: expected one of automatic, manual, never, found 'sometimes'")


def change_champion(world: "World") -> None:
    client = connect()
    client.create_model_version("toy", "s3://nowhere", tags={})
    promote(client, "toy", Entry("1", "3", "b", "the loop", when, "better"))


def refuse(world: "World") -> None:
    client = connect()
    verdict = Verdict.of(world.json("verdict") | {"accepted": False, "reasons": ["it is worse"]}, "verdict.json")
    for key, value in approvals.tags_of(verdict, "manual").items():
        client.set_model_version_tag("toy", "2", key, value)


def forget(world: "World") -> None:
    connect().delete_model_version_tag("toy", "2", Tag.VERDICT)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (change_champion, "expected champion 1, as evaluated, found champion 3; run `tidegate run` again"),
        (refuse, "approval of toy version 2: expected an accepted verdict, found it is worse"),
        (forget, "toy version 2: expected a version with its verdict, found none"),
    ],
)
def test_only_a_verdict_that_was_accepted_and_holds_is_approved(waits: "World", damage: Any, expected: str) -> None:
    damage(waits)
    before = champion(connect(), "toy") if damage is not change_champion else "3"
    with pytest.raises(TrackingError) as caught:
        say("approve")
    assert expected in str(caught.value) and "\n" not in str(caught.value)
    assert history(connect(), "toy").champion == before


def test_one_that_lost_its_champion_is_judged_again(waits: "World", fails: Fails) -> None:
    change_champion(waits)
    assert [row.holds for row in approvals.waiting(connect(), "toy")] == [False]
    (line,) = fails(waits, "deploy", approval="manual")
    assert "expected champion 1, as evaluated, found champion 3" in line
    waits.file_verdict(champion="3")
    waits.run("deploy", approval="manual")
    say("approve")
    assert champion_of(connect()) == "2"


def champion_of(client: MlflowClient) -> str | None:
    return history(client, "toy").champion


def test_the_champion_and_an_unknown_version_cannot_be_rejected(waits: "World") -> None:
    for version, expected in (("1", "take it back with `tidegate rollback`"), ("9", "toy version 9")):
        with pytest.raises(TrackingError, match=expected):
            say("reject", version)
    assert kinds() == [("promotion", None, "1")]


def test_a_rollback_said_twice_never_brings_back_what_it_took_back(
    judged: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    judged.run("deploy")
    shutil.copyfile(ROOT / "params.yaml", judged / "params.yaml")
    monkeypatch.chdir(judged.folder)
    assert champions.rollback(None, "complaints") == "1"
    with pytest.raises(InputError, match="rollback of toy: expected an earlier champion"):
        champions.rollback(None, "complaints")
    assert champion(connect(), "toy") == "1"
    assert champions.rollback("2", "they were wrong") == "2"  # a person may


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_killed_at_any_change_it_is_all_or_nothing_and_ends_when_said_again(
    waits: "World", tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    folder = tmp_path_factory.mktemp("words")
    points = 0
    for change in range(1, 9):
        world = waits.copy(folder / str(change))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.folder}/mlflow.db")
        points += killed_saying(word, change)
        alias = str(connect().get_registered_model("toy").aliases["champion"])
        assert alias in ("1", "2") and champion(connect(), "toy") in ("1", "2")
        say(word)
        assert champion(connect(), "toy") == ("2" if word == "approve" else "1")
        assert len(kinds()) == 2 and len(listed(connect(), "toy")) == 2
    assert points >= 3


def killed_saying(word: str, change: int) -> bool:
    """Whether a process that says it was killed before its `change`-th change of the store."""
    child = os.fork()
    if not child:
        arm(change)
        say(word)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
