"""Durations mean the same to SQL, to pandas and in seconds."""

import duckdb
import pytest

from tidegate.documents.durations import interval, seconds
from tidegate.process.errors import ContractError


@pytest.mark.parametrize(("duration", "minutes"), [("90m", 90), ("6h", 360), ("1d", 1440), ("2w", 20160), ("0h", 0)])
def test_durations_are_intervals(duration: str, minutes: int) -> None:
    found = duckdb.connect().execute(f"SELECT epoch({interval(duration)})").fetchall()[0][0]
    assert found == minutes * 60 == seconds(duration)


@pytest.mark.parametrize("duration", ["", "6", "h", "1.5h", "-1d", "1y", "1d ", "1d 2h", "1d\n"])
def test_what_is_no_duration_is_told(duration: str) -> None:
    with pytest.raises(ContractError, match=r"duration: expected a number and m, h, d or w"):
        interval(duration)


def test_a_cluster_has_seconds_too() -> None:
    assert seconds("20s") == 20
