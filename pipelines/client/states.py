"""What became of each step of a run, from the tasks that Kubeflow tells; pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

FINAL = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}
WORDS: Mapping[str, str] = {"CANCELED": "cancelled", "CANCELING": "being cancelled", "PENDING": "starting"}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # what has not happened yet is told as 1970 or as the year 1


class State(NamedTuple):
    """A step: waiting, starting, running, succeeded, failed, skipped, cancelled, not run; its seconds, if it began."""

    step: str
    state: str
    seconds: float | None


def word(state: str | None) -> str:
    """A state of Kubeflow's in a person's words."""
    return WORDS.get(state or "", (state or "unknown").lower())


def over(run: Any) -> bool:
    """Whether a run has ended, however."""
    return run.state in FINAL


def states(steps: Sequence[str], run: Any, now: datetime) -> list[State]:
    """Every step in the order of the pipeline."""
    tasks = latest(run)
    return [_state(step, tasks, run, now) for step in steps]


def latest(run: Any) -> dict[str, Any]:
    """The tasks that Kubeflow tells of, by name; of several the last."""
    details = (run.run_details.task_details if run.run_details else None) or []
    return {task.display_name: task for task in sorted(details, key=_began) if task.display_name}


def _state(step: str, tasks: Mapping[str, Any], run: Any, now: datetime) -> State:
    task, driver = tasks.get(step), tasks.get(f"{step}-driver")
    if task is not None and task.state:  # a task that Argo left out has none
        # Where a run is cancelled, the tasks keep the last thing that was heard of them.
        state = run.state if over(run) and task.state not in FINAL else task.state
        seconds = None if state == "PENDING" else _seconds(task, now if not over(run) else None)
        return State(step, word(state), seconds)
    if driver is not None and driver.state == "FAILED":
        return State(step, "failed", _seconds(driver, None))
    if not over(run):
        return State(step, "starting" if driver is not None and driver.state else "waiting", None)
    return State(step, "skipped" if run.state == "SUCCEEDED" else "not run", None)


def _seconds(task: Any, now: datetime | None) -> float | None:
    began, ended = _moment(task.start_time), _moment(task.end_time) or now
    return max(0.0, (ended - began).total_seconds()) if began and ended else None


def _began(task: Any) -> datetime:
    return _moment(task.start_time) or EPOCH


def _moment(value: datetime | None) -> datetime | None:
    return value if value is not None and value > EPOCH else None
