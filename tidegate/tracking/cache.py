"""Answers of the store that a process reuses: what never changes, and runs as they were last read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from tidegate.tracking.reader import Experiment, Reader, Run


@dataclass
class Memory:
    """A client's cache: experiments by name, runs by id, the run that holds a run's records, records by digest."""

    experiments: dict[str, Experiment] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)


_memories: WeakKeyDictionary[Reader, Memory] = WeakKeyDictionary()


def of(client: Reader) -> Memory:
    """The cache of this client."""
    return _memories.setdefault(client, Memory())


def experiments(client: Reader) -> dict[str, Experiment]:
    """The experiments that this user may read, by name, as of the first request."""
    by_name = of(client).experiments
    token: str | None = None if by_name else ""
    while token is not None:
        page = client.search_experiments(page_token=token or None)
        by_name.update({experiment.name: experiment for experiment in page})
        token = page.token or None
    return by_name


def run(client: Reader, run_id: str) -> Run:
    """A run as it was last read; its experiment, its artifact URI and its batch never change."""
    runs = of(client).runs
    if run_id not in runs:
        runs[run_id] = client.get_run(run_id)
    return runs[run_id]
