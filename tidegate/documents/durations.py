"""Durations as texts: a number and m, h, d or w, such as 6h; in cluster.yaml also s."""

import re

from tidegate.process.errors import ContractError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def seconds(duration: str) -> int:
    """The seconds of a duration that a JSON schema has checked."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def interval(duration: str, place: str = "duration") -> str:
    """A duration such as `90m`, `6h`, `1d` or `2w` as an SQL interval; ContractError if it is invalid."""
    match = re.fullmatch(r"(\d+)([mhdw])", duration, re.ASCII)
    if not match:
        raise ContractError(place, "a number and m, h, d or w, such as 6h", repr(duration), "correct it")
    return f"INTERVAL '{match[1]} {UNITS[match[2]]}'"
