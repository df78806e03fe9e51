"""The recurring run as cluster.yaml declares it."""

import re
from pathlib import Path
from typing import NamedTuple

from tidegate.pipelines import cluster
from tidegate.process.errors import InputError

FIELD = re.compile(r"[0-9A-Za-z*?/,-]+")
MOST_AT_ONCE = 10  # what Kubeflow allows


class Schedule(NamedTuple):
    """When the recurring run starts, whether missed times are made up for, how many runs there may be at once."""

    cron: str
    catchup: bool
    concurrency: int


def schedule(path: Path = cluster.PATH) -> Schedule:
    """The section `schedule`; InputError for what Kubeflow would refuse or misread."""
    section, name = cluster.load(path).schedule, f"{cluster.shown(path)}: schedule"
    for key in section.keys() ^ set(Schedule._fields):
        expected = f"the keys {', '.join(Schedule._fields)}"
        raise InputError(f"{name}.{key}", expected, "an unknown key" if key in section else "nothing", "mend it")
    cron, catchup, concurrency = (section[key] for key in Schedule._fields)
    fields = str(cron).split()
    if not isinstance(cron, str) or len(fields) != 6 or not all(map(FIELD.fullmatch, fields)):
        expected = "six fields in quotes: second minute hour day month weekday"
        raise InputError(f"{name}.cron", expected, repr(cron), "mend it")
    if not isinstance(catchup, bool):
        raise InputError(f"{name}.catchup", "true or false", repr(catchup), "mend it")
    if type(concurrency) is not int or not 1 <= concurrency <= MOST_AT_ONCE:
        raise InputError(
            f"{name}.concurrency", f"a whole number from 1 to {MOST_AT_ONCE}", repr(concurrency), "mend it"
        )
    return Schedule(" ".join(fields), catchup, concurrency)
