"""A window of requests that opened the gate opens it for the newest batch that shares time with it, once."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import requests, toy
from tests.worlds import once
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


def ask(world: "World") -> None:
    champion = load_champion(connect(), "toy", ())
    assert champion is not None
    frame = champion.batch(world / "clean", Window(START, END))
    frame = frame[frame["at"] < END].reset_index(drop=True)
    requests.record(world / "asked", champion, frame.assign(price=frame["price"] * 3))


def monitor(world: "World") -> None:
    given = {"name": "toy", "window": "14d", "until": END.isoformat(), "tables": ""}
    world.run("monitor", **given, recordings=str(world / "asked"))
    assert Decision.read(world / "decision.json").retrain


@pytest.fixture(scope="session")
def _monitored(_released: "World", tmp_path_factory: pytest.TempPathFactory) -> "World":
    def build(folder: Path) -> None:
        with toy.at(folder):
            world = _released.copy(folder)
            world.run("ingest", "validate", "featurize", **BATCH)
            ask(world)
            monitor(world)

    return toy.World(once(tmp_path_factory, "monitored", build))


@pytest.fixture
def monitored(_monitored: "World", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "World":
    """The newest batch has not moved, but what the champion was asked in its time has, and a window says so."""
    return toy.mine(_monitored, tmp_path, monkeypatch)


def decided(world: "World", **given: Any) -> Decision:
    world.run("gate", **BATCH, **given)
    return Decision.read(world / "decision.json")


def test_an_open_window_opens_the_gate_of_the_batch_that_had_kept_the_champion(released: "World") -> None:
    released.run("ingest", "validate", "featurize", **BATCH)
    before = decided(released)
    assert before.decision == "keep"
    ask(released)
    monitor(released)
    after = decided(released)
    assert after.decision == "retrain" and (released / "retrain").read_text() == "true"
    (signal,) = (signal for signal in after.signals if signal.state == "opens")
    (window,) = windows(connect(), "toy")
    assert signal.detail == RequestsDetail(window[Tag.WINDOW], "2024-04-16T00:00:00")
    assert signal.reason.startswith("what the champion was asked until 2024-04-16 00:00 has opened the gate: ")
    assert "price" in signal.reason and "price" in (released / "gate.html").read_text()
    assert batches(connect(), "toy")[-1][Tag.REQUESTS] == window[Tag.WINDOW]


def test_the_batch_keeps_its_window_and_no_other_batch_gets_it(monitored: "World") -> None:
    first = decided(monitored)
    assert first.retrain and decided(monitored) == first, "decided once"
    monitored.run("ingest", "validate", "featurize", until="2024-04-30")
    monitored.run("gate")
    later = Decision.read(monitored / "decision.json")
    assert later.batch != first.batch and later.decision == "keep", later.reasons


@pytest.mark.parametrize("given", [{"off": "requests"}, {"mode": "never"}], ids=["off", "never"])
def test_who_does_not_want_it_is_not_asked(monitored: "World", given: dict[str, Any]) -> None:
    assert decided(monitored, **given).decision == "keep"
    assert Tag.REQUESTS not in batches(connect(), "toy")[-1]


def test_an_experiment_decides_by_the_batch_alone(monitored: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DVC_EXP_NAME", "try")
    assert decided(monitored).decision == "keep"


def test_a_brake_holds_it(monitored: "World") -> None:
    decision = decided(monitored, cooldown_days=90)
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
