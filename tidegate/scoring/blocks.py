"""Blocks of time: rows of one block depend on each other, so they are drawn, moved and left out together."""

import pandas as pd

from tidegate.documents.durations import seconds


def block_of(times: pd.Series, duration: str) -> pd.Series:
    """The block each row belongs to: rows of one block depend on each other. Durations such as `1d`, `6h`."""
    length, monday = pd.Timedelta(seconds=seconds(duration)), pd.Timestamp("1970-01-05")
    return monday + (times - monday) // length * length
