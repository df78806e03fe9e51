"""Clocks that shift or are wrong: hours of the data are hours of UTC; what is decided does not depend on the clock."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tiers import lacking
from tests.toy import flag_words
from tidegate.commands.reviewing import champions
from tidegate.tracking.journal import history
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Rounds = Callable[..., int]
root = Path(__file__).parents[2]
# The hours around which the clocks of a zone change, and zones that are far from UTC.
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu")


@pytest.mark.parametrize("zone", ZONES)
def test_hours_that_a_zone_has_twice_or_not_at_all_are_hours_of_utc(world: "World", zone: str, rounds: Rounds) -> None:
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
    words = flag_words(given)
    environment = {**os.environ, "PYTHONPATH": str(root), "TZ": zone}
    command = [sys.executable, "-m", "tidegate", "step", "ingest", *words]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    kept = pd.to_datetime(world.table("tables/orders")["at"])
    assert len(kept) == (pd.Timestamp("2024-03-31T01:30:00") - pd.Timestamp("2024-03-09")) / pd.Timedelta("15min")
    assert (kept.diff().dropna() == pd.Timedelta("15min")).all()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_changes_no_decision_and_no_order(
    judged: "World", hours: int, rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promotion dated before or after the one of the champion that it replaces, and a rollback of it."""
    rounds(1)
    if not shutil.which("faketime"):
        lacking("faketime is not there")
    for step, document in {"gate": "decision", "evaluate": "verdict"}.items():
        before = judged.json(document)
        step_at(judged, step, hours)
        assert judged.json(document) == before
    step_at(judged, "deploy", hours)
    assert history(connect(), "toy").champion == "2"
    monkeypatch.chdir(judged.folder)
    shutil.copy(root / "params.yaml", "params.yaml")
    assert champions.rollback("1", "worse") == "1"
    assert history(connect(), "toy").champion == "1"


def step_at(world: "World", step: str, hours: int) -> None:
    """Run a step whose clock is so many hours wrong."""
    wrong = ("faketime", "-f", f"{hours:+d}h")
    done = world.command(step, *wrong)
    assert done.returncode == 0, done.stderr
