"""Clocks that are wrong or shift: what a step decides follows from the data, in any time zone and at any hour."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tidegate.tracking.journal import history
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Rounds = Callable[..., int]
root = Path(__file__).parents[2]
# Python imports `sitecustomize` before all else: the clock of the process is another one from its first second on.
CLOCK = """\
import datetime, os, time

shift, real = float(os.environ["SHIFT"]), (time.time, time.time_ns)
time.time = lambda: real[0]() + shift
time.time_ns = lambda: real[1]() + int(shift * 1e9)

class Kind(type(datetime.datetime)):
    def __instancecheck__(cls, value):  # one that a library in C made
        return isinstance(value, cls.__mro__[1])

class Shifted(datetime.datetime, metaclass=Kind):
    __slots__ = ()  # of the size that libraries in C expect

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

datetime.datetime = Shifted
"""
HOUR = 3600
STEPS = ("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
# The hours around which the clocks of a zone change, and zones that are far from UTC.
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu")


def run(world: "World", step: str, clock: Path, shift: float = 0, zone: str = "UTC") -> None:
    given = [text for name, value in world.flags(step).items() for text in (f"--{name}", str(value))]
    path = os.pathsep.join([str(clock), str(root)])
    environment = {**os.environ, "PYTHONPATH": path, "SHIFT": str(shift), "TZ": zone}
    command = [sys.executable, "-m", "tidegate", "step", step, *given]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), step


def decided(world: "World") -> dict[str, Any]:
    """What the steps decided."""
    decision, verdict, release = (world.json(name) for name in ("decision", "verdict", "release"))
    kept = {"decision": decision["decision"], "reasons": decision["reasons"], "accepted": verdict["accepted"]}
    return {**kept, "models": verdict["models"], "champion": release["champion"], "batch": world.json("batch")["id"]}


@pytest.fixture
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH, which sets the clock by SHIFT."""
    folder = tmp_path_factory.mktemp("clock")
    (folder / "sitecustomize.py").write_text(CLOCK)
    return folder


def test_an_hour_off_and_in_any_zone_the_same_is_decided(
    world: "World",
    clock: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    rounds: Rounds,
) -> None:
    """Each step by another clock, and in another zone, than the step before."""
    found = []
    for number in range(rounds(3, 2)):
        mine = world.copy(tmp_path_factory.mktemp(f"clock-{number}"))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{mine.folder}/mlflow.db")
        for place, step in enumerate(STEPS):
            shift, zone = (0, "UTC") if number == 0 else ((-1) ** place * HOUR * number, ZONES[place % len(ZONES)])
            run(mine, step, clock, shift, zone)
        found.append(json.dumps(decided(mine), sort_keys=True))
    assert len(set(found)) == 1


@pytest.mark.parametrize("hours", [-1, 1])
def test_promoted_by_a_clock_an_hour_off_the_journal_keeps_its_order(
    judged: "World", clock: Path, hours: int, rounds: Rounds
) -> None:
    """An entry follows the one before it, whatever hour it says."""
    rounds(1)
    run(judged, "deploy", clock, hours * HOUR)
    assert [(entry.before, entry.to) for entry in history(connect(), "toy").counted] == [(None, "1"), ("1", "2")]
    first = judged.json("release")
    run(judged, "deploy", clock, -hours * HOUR)
    assert judged.json("release") == first


@pytest.mark.parametrize("zone", ZONES)
def test_hours_that_a_zone_has_twice_or_not_at_all_are_hours_of_utc(
    world: "World", clock: Path, zone: str, rounds: Rounds
) -> None:
    """Rows every quarter of an hour over the nights in which clocks change; the batch ends in one of them."""
    import pandas as pd

    rounds(1)
    at = pd.date_range("2024-03-09", "2024-04-08", freq="15min", inclusive="left").strftime("%Y-%m-%d %H:%M:%S")
    frame = pd.DataFrame(
        {"at": at, "id": range(len(at)), "shop": "north", "price": 5.0, "customer": "x", "kept_days": 3}
    )
    rate = pd.DataFrame(
        {"at": pd.date_range("2024-03-08", "2024-04-08", freq="h").strftime("%Y-%m-%dT%H:%M:%SZ"), "rate": 1.0}
    )
    world.lay(orders=frame, rates=rate)
    given = world.flags("ingest", until="2024-03-31T01:30:00", batch_days=21)
    words = [text for name, value in given.items() for text in (f"--{name}", str(value))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(clock), str(root)]), "SHIFT": "0", "TZ": zone}
    command = [sys.executable, "-m", "tidegate", "step", "ingest", *words]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    kept = pd.to_datetime(world.table("tables/orders")["at"])
    assert len(kept) == (pd.Timestamp("2024-03-31T01:30:00") - pd.Timestamp("2024-03-09")) / pd.Timedelta("15min")
    assert (kept.diff().dropna() == pd.Timedelta("15min")).all()
