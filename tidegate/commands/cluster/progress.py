"""The progress of a run: a live table on a terminal, otherwise a line per change."""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rich.live import Live
from rich.table import Table
from rich.text import Text

from tidegate.commands.cluster import pod_view, runs
from tidegate.commands.cluster.answers import UnreachableError
from tidegate.commands.cluster.reasons import Seen, Trouble, troubles
from tidegate.commands.cluster.service import Service
from tidegate.commands.cluster.states import State, over, states
from tidegate.commands.console import Screen
from tidegate.process import limits

MOST_MISSED = 3  # failed requests for pods before they are no longer made
COLOURS = {"succeeded": "green", "failed": "red", "cancelled": "red", "running": "cyan"}
Show = Callable[[Sequence[State], Sequence[Trouble]], None]


class Followed(NamedTuple):
    """A run at the end of waiting: it has ended, or something stops it that waiting does not cure."""

    run: Any
    troubles: Sequence[Trouble]


def follow(service: Service, run_id: str, steps: Sequence[str]) -> Followed:
    """Show a run's progress on stderr until it has ended, or until waiting cannot help."""
    screen = Screen(file=sys.stderr)
    if not screen.is_terminal:
        return _until_over(service, run_id, steps, _lines(steps))
    with Live(console=screen, refresh_per_second=4) as live:
        return _until_over(service, run_id, steps, lambda *progress: live.update(table(*progress)))


def table(step_states: Sequence[State], stopped: Sequence[Trouble] = ()) -> Table:
    """The steps as a table, each with the reason why it does not run."""
    result = Table.grid(padding=(0, 2))
    reasons = {trouble.step: trouble.reason for trouble in stopped}
    for step, state, seconds in step_states:
        result.add_row(step, Text(state, COLOURS.get(state, "dim")), _display(seconds), reasons.get(step, ""))
    return result


def _until_over(service: Service, run_id: str, steps: Sequence[str], show: Show) -> Followed:
    heard, look = time.monotonic(), _looking(service, run_id)
    while True:
        try:
            run = runs.read(service, run_id)
            heard = time.monotonic()
            step_states = states(steps, run, datetime.now(UTC))
            stopped = troubles(step_states, run, look())
            show(step_states, stopped)
            if over(run) or any(trouble.hopeless for trouble in stopped):
                return Followed(run, stopped)
        except UnreachableError:
            if time.monotonic() - heard > limits.AWAY_SECONDS:
                raise
        time.sleep(limits.POLL_SECONDS)


def _looking(service: Service, run_id: str) -> Callable[[], list[Seen]]:
    """Reads the pods that have not succeeded, as long as the cluster permits it."""
    view, missed = pod_view.sight(service), 0

    def look() -> list[Seen]:
        nonlocal missed
        pods = pod_view.in_trouble(view, run_id) if view and missed < MOST_MISSED else None
        missed = missed + 1 if pods is None else 0
        return pods or []

    return look


def _lines(steps: Sequence[str]) -> Show:
    """Prints to stderr what has changed since the last call."""
    last_states = dict.fromkeys(steps, "waiting")
    printed: set[Trouble] = set()

    def tell(step_states: Sequence[State], stopped: Sequence[Trouble]) -> None:
        for step, state, seconds in step_states:
            if last_states[step] != state:
                last_states[step] = state
                print(f"{step}: {state} {_display(seconds)}".rstrip(), file=sys.stderr, flush=True)
        for trouble in stopped:
            if trouble not in printed:
                printed.add(trouble)
                print(trouble, file=sys.stderr, flush=True)

    return tell


def _display(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f} s"
