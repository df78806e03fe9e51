"""Clocks that shift: the hours of the data are hours of UTC, in any time zone."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.toy import World

Rounds = Callable[..., int]
root = Path(__file__).parents[2]
# The hours around which the clocks of a zone change, and zones that are far from UTC.
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu")


@pytest.mark.parametrize("zone", ZONES)
def test_hours_that_a_zone_has_twice_or_not_at_all_are_hours_of_utc(
    world: "World", zone: str, rounds: Rounds
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
    environment = {**os.environ, "PYTHONPATH": str(root), "TZ": zone}
    command = [sys.executable, "-m", "tidegate", "step", "ingest", *words]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    kept = pd.to_datetime(world.table("tables/orders")["at"])
    assert len(kept) == (pd.Timestamp("2024-03-31T01:30:00") - pd.Timestamp("2024-03-09")) / pd.Timedelta("15min")
    assert (kept.diff().dropna() == pd.Timedelta("15min")).all()
