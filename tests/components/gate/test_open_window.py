"""A window of requests that opened the gate opens it for the newest batch that shares time with it, once."""

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests import requests
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Decision
from tidegate.documents.signal import RequestsDetail
from tidegate.tables.features import Window
from tidegate.tracking.batch_runs import batches
from tidegate.tracking.champion import load_champion
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag
from tidegate.tracking.windows import open_window, windows

if TYPE_CHECKING:
    from tests.toy import World

START, END = datetime(2024, 4, 2), datetime(2024, 4, 16)
BATCH = {"until": "2024-04-29"}


@pytest.fixture
def asked(released: "World") -> "World":
    """The newest batch has not moved, but what the champion was asked in its time has."""
    released.run("ingest", "validate", "featurize", **BATCH)
    champion = load_champion(connect(), "toy", ())
    assert champion is not None
    frame = champion.batch(released / "clean", Window(START, END))
    frame = frame[frame["at"] < END].reset_index(drop=True)
    requests.record(released / "asked", champion, frame.assign(price=frame["price"] * 3))
    return released


def monitored(world: "World") -> None:
    given = {"name": "toy", "window": "14d", "until": END.isoformat(), "tables": ""}
    world.run("monitor", **given, recordings=str(world / "asked"))
    assert Decision.read(world / "decision.json").retrain


def decided(world: "World", **given: Any) -> Decision:
    world.run("gate", **BATCH, **given)
    return Decision.read(world / "decision.json")


def test_an_open_window_opens_the_gate_of_the_batch_that_had_kept_the_champion(asked: "World") -> None:
    before = decided(asked)
    assert before.decision == "keep"
    monitored(asked)
    after = decided(asked)
    assert after.decision == "retrain" and (asked / "retrain").read_text() == "true"
    (signal,) = (signal for signal in after.signals if signal.state == "opens")
    (window,) = windows(connect(), "toy")
    assert signal.detail == RequestsDetail(window[Tag.WINDOW], "2024-04-16T00:00:00")
    assert signal.reason.startswith("what the champion was asked until 2024-04-16 00:00 has opened the gate: ")
    assert "price" in signal.reason and "price" in (asked / "gate.html").read_text()
    assert batches(connect(), "toy")[-1][Tag.REQUESTS] == window[Tag.WINDOW]


def test_the_batch_keeps_its_window_and_no_other_batch_gets_it(asked: "World") -> None:
    monitored(asked)
    first = decided(asked)
    assert first.retrain and decided(asked) == first, "decided once"
    asked.run("ingest", "validate", "featurize", until="2024-04-30")
    asked.run("gate")
    later = Decision.read(asked / "decision.json")
    assert later.batch != first.batch and later.decision == "keep", later.reasons


@pytest.mark.parametrize("given", [{"off": "requests"}, {"mode": "never"}], ids=["off", "never"])
def test_who_does_not_want_it_is_not_asked(asked: "World", given: dict[str, Any]) -> None:
    monitored(asked)
    assert decided(asked, **given).decision == "keep"
    assert Tag.REQUESTS not in batches(connect(), "toy")[-1]


def test_an_experiment_decides_by_the_batch_alone(asked: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monitored(asked)
    monkeypatch.setitem(os.environ, "DVC_EXP_NAME", "try")
    assert decided(asked).decision == "keep"


def test_a_brake_holds_it(asked: "World") -> None:
    monitored(asked)
    decision = decided(asked, cooldown_days=90)
    assert decision.decision == "keep" and any(reason.startswith("held back: what ") for reason in decision.reasons)


def window(end: str, decision: str = "retrain", champion: str = "1", start: str = "2024-04-02") -> dict[str, str]:
    names = {Tag.WINDOW: f"w{end}", Tag.START: start, Tag.END: end, Tag.REASONS: "price moved"}
    return {**names, Tag.DECISION: decision, Tag.CHAMPION: champion}


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        ([window("2024-04-16")], "w2024-04-16"),
        ([window("2024-04-16"), window("2024-04-17", "cannot tell")], "w2024-04-16"),
        ([window("2024-04-16"), window("2024-04-17", "keep")], ""),
        ([window("2024-04-16", champion="2")], ""),
        ([window("2024-03-16", start="2024-03-02")], ""),
        ([window("2024-05-16", start="2024-05-02")], ""),
        ([window("2024-05-16")], "w2024-05-16"),
    ],
    ids=["open", "nothing since", "shut since", "of another champion", "before it", "after it", "beyond its end"],
)
def test_the_newest_window_in_the_time_of_the_batch_counts(
    released: "World", judged: list[dict[str, str]], expected: str
) -> None:
    released.run("ingest", "validate", "featurize", **BATCH)
    batch = Batch.read(released / "batch.json")
    found = open_window(judged, [], batch, "1")
    assert (found.id if found else "") == expected
    newer = {Tag.BATCH: "other", Tag.UNTIL: "2024-05-01"}
    assert open_window(judged, [newer], batch, "1") is None, "an older batch than the newest gets none"
    used = {Tag.BATCH: "other", Tag.UNTIL: "2024-04-29", Tag.REQUESTS: judged[0][Tag.WINDOW]}
    assert open_window(judged, [used], batch, "1") is None, "and what opened it for another batch is used"
