"""A run is followed to its end: a living table where there is a terminal, a line per change where there is none."""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipelines.client import runs
from pipelines.client.answers import UnreachableError
from pipelines.client.service import Service
from pipelines.client.states import State, over, states

SECONDS_BETWEEN = 3.0
PATIENCE = 300.0  # seconds that the server may be away before this gives up; the run goes on without it
COLOURS = {"succeeded": "green", "failed": "red", "cancelled": "red", "running": "cyan"}


def follow(service: Service, run_id: str, steps: Sequence[str]) -> Any:
    """Show a run's progress on stderr until it is over, and return it as it is then."""
    screen = Console(file=sys.stderr, highlight=False)
    if not screen.is_terminal:
        return _until_over(service, run_id, _lines(steps))
    with Live(console=screen, refresh_per_second=4) as live:
        return _until_over(service, run_id, lambda run: live.update(table(states(steps, run, datetime.now(UTC)))))


def table(found: Sequence[State]) -> Table:
    """The steps as a table."""
    result = Table.grid(padding=(0, 2))
    for step, state, seconds in found:
        result.add_row(step, Text(state, COLOURS.get(state, "dim")), _shown(seconds))
    return result


def _until_over(service: Service, run_id: str, show: Callable[[Any], None]) -> Any:
    heard = time.monotonic()
    while True:
        try:
            run = runs.read(service, run_id)
            heard = time.monotonic()
            show(run)
            if over(run):
                return run
        except UnreachableError:
            if time.monotonic() - heard > PATIENCE:
                raise
        time.sleep(SECONDS_BETWEEN)


def _lines(steps: Sequence[str]) -> Callable[[Any], None]:
    """Tells on stderr what changed since it was last called."""
    told = dict.fromkeys(steps, "waiting")

    def tell(run: Any) -> None:
        for step, state, seconds in states(steps, run, datetime.now(UTC)):
            if told[step] != state:
                told[step] = state
                print(f"{step}: {state} {_shown(seconds)}".rstrip(), file=sys.stderr, flush=True)

    return tell


def _shown(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f} s"
