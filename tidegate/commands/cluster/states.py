"""The states of a run and of each of its steps, from Kubeflow's record; pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

FINAL = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}
STOPPING = {"CANCELING", "CANCELED"}
WORDS: Mapping[str, str] = {"CANCELED": "cancelled", "CANCELING": "being cancelled", "PENDING": "starting"}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # Kubeflow reports missing times as 1970 or as the year 1
ATTEMPT = re.compile(r"executor\(\d+\)")


class State(NamedTuple):
    """A step: waiting, starting, running, succeeded, failed, skipped, cancelled, not run; its seconds, if it began."""

    step: str
    state: str
    seconds: float | None


def word(state: str | None) -> str:
    """Kubeflow's state in plain words."""
    return WORDS.get(state or "", (state or "unknown").lower())


def state_of(run: Any) -> str | None:
    """The state of a run as Kubeflow names it; a cancelled one, which Kubeflow ends as FAILED, is CANCELED."""
    return "CANCELED" if run.state == "FAILED" and cancelled_at(run) else run.state


def cancelled_at(run: Any) -> datetime | None:
    """When the run was cancelled; None if it was not."""
    return next((item.update_time for item in run.state_history or [] if item.state in STOPPING), None)


def over(run: Any) -> bool:
    """Whether a run has ended, in any state."""
    return run.state in FINAL


def states(steps: Sequence[str], run: Any, now: datetime) -> list[State]:
    """Every step in the order of the pipeline."""
    return [_state(step, run, now) for step in steps]


def details(run: Any) -> list[Any]:
    """The tasks in Kubeflow's record: one for each node of the workflow."""
    return (run.run_details.task_details if run.run_details else None) or []


def latest(run: Any) -> dict[str, Any]:
    """The tasks by name; the last of several."""
    return {task.display_name: task for task in sorted(details(run), key=_began) if task.display_name}


def _state(step: str, run: Any, now: datetime) -> State:
    tasks = latest(run)
    task, driver = tasks.get(step), tasks.get(f"{step}-driver")
    if task is not None and task.state:  # a task that Argo omitted has no state
        state = _settled(task, run)
        seconds = None if state == "PENDING" else _seconds(task, now if not over(run) else None)
        return State(step, word(state), seconds)
    if driver is not None and driver.state == "FAILED":
        return State(step, word(_settled(driver, run)), _seconds(driver, None))
    if not over(run):
        return State(step, "starting" if driver is not None and driver.state else "waiting", None)
    return State(step, "skipped" if run.state == "SUCCEEDED" else "not run", None)


def _settled(task: Any, run: Any) -> str | None:
    """The state of a task; Argo reports a cancelled one as failed, and one without a started pod as running."""
    if over(run) and task.state not in FINAL:
        return state_of(run)  # the last known state
    stopped, ended = cancelled_at(run), _moment(task.end_time)
    if task.state == "FAILED" and stopped and (ended is None or ended >= stopped):
        return "CANCELED"
    return "PENDING" if task.state == "RUNNING" and _pending(task, run) else str(task.state)


def _pending(task: Any, run: Any) -> bool:
    """Whether none of the pods that may belong to this task runs; Kubeflow does not say which ones do."""
    attempts = [item for item in details(run) if ATTEMPT.fullmatch(item.display_name or "")]
    open_ = {item.state for item in attempts if _began(item) >= _began(task) and item.state not in FINAL}
    return open_ == {"PENDING"}


def _seconds(task: Any, now: datetime | None) -> float | None:
    began, ended = _moment(task.start_time), _moment(task.end_time) or now
    return max(0.0, (ended - began).total_seconds()) if began and ended else None


def _began(task: Any) -> datetime:
    return _moment(task.start_time) or EPOCH


def _moment(value: datetime | None) -> datetime | None:
    return value if value is not None and value > EPOCH else None
