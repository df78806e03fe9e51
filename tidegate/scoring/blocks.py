"""Blocks of time: rows of one block are dependent, so tests resample and permute whole blocks."""

import pandas as pd

from tidegate.documents.durations import seconds


def block_of(times: pd.Series, duration: str) -> pd.Series:
    """The start of the block that contains each time, shape (rows,); `duration` is a text such as `1d` or `6h`."""
    length, monday = pd.Timedelta(seconds=seconds(duration)), pd.Timestamp("1970-01-05")
    return monday + (times - monday) // length * length
