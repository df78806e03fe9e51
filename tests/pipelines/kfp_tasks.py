"""The tasks of a run as Kubeflow 2.16 and 2.17 tell them: the nodes of Argo's workflow, none with its own id."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import kfp_server_api as api

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
OMITTED = None  # Argo leaves out what comes after a failure, and Kubeflow has no state for that
DRIVER_FAILED = "DRIVER FAILED"  # what starts the step's pod could not
WORKFLOW = "tidegate-training-x7k2p"


def tell(run: Any, state: str, steps: Mapping[str, str | None], attempts: int = 0) -> None:
    """Give a run its state, and tasks for the steps that the controller has reached, each with so many attempts."""
    run.state = state
    tasks = [task(WORKFLOW, "RUNNING", 0, f"{WORKFLOW}-3519902132"), task("root-driver", "SUCCEEDED", 0)]
    for number, (step, found) in enumerate(steps.items(), start=1):
        if found == DRIVER_FAILED:
            tasks.append(task(f"{step}-driver", "FAILED", number))
            continue
        tasks.append(task(f"{step}-driver", found and "SUCCEEDED", number))
        tasks.append(task(step, found, number, f"{WORKFLOW}-{number}"))
        if found is not OMITTED:
            names = ["executor", *(f"executor({attempt})" for attempt in range(attempts))]
            tasks += [task(name, found, number) for name in names]
    run.run_details = api.V2beta1RunDetails(task_details=tasks[::-1])


def task(name: str, state: str | None, number: int, child: str | None = None) -> Any:
    """A task that began `number` minutes after noon, and took twelve seconds if it has ended."""
    begin = BEGIN + timedelta(minutes=number)
    ended = state not in ("RUNNING", "PENDING")
    return api.V2beta1PipelineTaskDetail(
        display_name=name,
        state=state,
        create_time=BEGIN,
        start_time=begin,
        end_time=begin + timedelta(seconds=12) if ended else NEVER,
        child_tasks=[api.PipelineTaskDetailChildTask(pod_name=child)] if child else None,
    )
