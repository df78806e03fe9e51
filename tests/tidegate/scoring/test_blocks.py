"""Rows belong to the block of their time."""

import pandas as pd
import pytest

from tidegate.scoring.blocks import block_of


@pytest.mark.parametrize(
    ("duration", "hours"), [("60m", 1), ("6h", 6), ("1d", 24), ("3d", 72), ("1w", 168), ("2w", 336), ("4w", 672)]
)
def test_rows_belong_to_the_block_of_their_time(duration: str, hours: int) -> None:
    times = pd.Series(pd.date_range("1970-01-05", periods=48 * 7 * 12, freq="30min"))  # from a Monday on
    found = block_of(times, duration)
    assert set(found.value_counts()) == {2 * hours}
    assert ((times >= found) & (times < found + pd.Timedelta(hours=hours))).all()
    assert not duration.endswith("w") or set(found.dt.dayofweek) == {0}
