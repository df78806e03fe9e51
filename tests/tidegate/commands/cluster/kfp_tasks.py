"""The tasks of a run as Kubeflow 2.16 and 2.17 tell them: the nodes of Argo's workflow, none with its own id.

Templates have a retry strategy, as Kubeflow's stock manifests want it: below each node `X` there is an `X(0)`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import kfp_server_api as api

from tidegate.commands.cluster.pods import fnv1a

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
OMITTED = None  # Argo leaves out what comes after a failure, and Kubeflow has no state for that
DRIVER_FAILED = "DRIVER FAILED"  # what starts the step's pod could not
WORKFLOW = "tidegate-training-x7k2p"
ROOT = f"{WORKFLOW}(0).root"
GROUP = f"{ROOT}(0).condition-1"
LATER = ("train", "evaluate", "deploy")  # stand in a group of their own


class Node(NamedTuple):
    """A node of a workflow by its place in it, with those that come after it."""

    name: str
    state: str | None
    minute: int
    after: tuple[str, ...] = ()


def tell(run: Any, state: str, steps: Mapping[str, str | None], attempts: int = 1) -> None:
    """Give a run its state, and tasks for the steps that the controller has reached, each with so many attempts."""
    cancelled = state == "CANCELED"
    run.state = "FAILED" if cancelled else state
    seen = ["PENDING", "RUNNING", *(["CANCELING"] if cancelled else []), run.state]
    run.state_history = [api.V2beta1RuntimeStatus(state=item, update_time=BEGIN) for item in dict.fromkeys(seen)]
    nodes = [*_workflow(run.state, next(iter(steps), None)), *_steps(steps, attempts, cancelled)]
    run.run_details = api.V2beta1RunDetails(task_details=[_task(node) for node in nodes][::-1])


def node_id(name: str) -> str:
    """The id of a node; the first has the workflow's name."""
    return name if name == WORKFLOW else f"{WORKFLOW}-{fnv1a(name)}"


def place(step: str) -> str:
    """Where a step stands."""
    return f"{GROUP}(0).{step}" if step in LATER else f"{ROOT}(0).{step}"


def pod_name(step: str, attempt: int = 0) -> str:
    """The pod of an attempt of a step."""
    return f"{WORKFLOW}-metadata-0-1-retry-system-container-impl-{fnv1a(f'{place(step)}(0).executor({attempt})')}"


def driver_pod_name(step: str, attempt: int = 0) -> str:
    """The pod of its driver."""
    return f"{WORKFLOW}-system-container-driver-{fnv1a(f'{place(step)}-driver({attempt})')}"


def _workflow(state: str, first: str | None) -> Iterator[Node]:
    below = (f"{place(first)}-driver",) if first else ()
    yield from _retried(WORKFLOW, state, 0, (f"{WORKFLOW}(0).root-driver",))
    yield from _retried(f"{WORKFLOW}(0).root-driver", "SUCCEEDED", 0, (ROOT,))
    yield from _retried(ROOT, state, 0, (*below, f"{GROUP}-driver"))


def _steps(steps: Mapping[str, str | None], attempts: int, cancelled: bool) -> Iterator[Node]:
    names = list(steps)
    if set(LATER) & set(names):  # the gate is open
        yield from _retried(f"{GROUP}-driver", "SUCCEEDED", 0, (GROUP,))
        yield from _retried(GROUP, "RUNNING", 0, (f"{place(next(name for name in names if name in LATER))}-driver",))
    for number, (step, found) in enumerate(steps.items(), start=1):
        following = tuple(f"{place(name)}-driver" for name in names[number : number + 1])
        state = "FAILED" if cancelled and found in ("RUNNING", "PENDING") else found
        if step.startswith("condition-") or state is OMITTED:
            if not step.startswith("condition-"):
                yield Node(f"{place(step)}-driver", OMITTED, number, (node_id(place(step)),))
            yield Node(place(step), state, number, tuple(map(node_id, following)))
        elif state == DRIVER_FAILED:
            yield from _retried(f"{place(step)}-driver", "FAILED", number, (place(step),))
            yield Node(place(step), OMITTED, number, tuple(map(node_id, following)))
        else:
            yield from _retried(f"{place(step)}-driver", "SUCCEEDED", number, (place(step),))
            yield from _step(step, state, number, attempts, following)


def _step(step: str, state: str, number: int, attempts: int, following: tuple[str, ...]) -> Iterator[Node]:
    group = "RUNNING" if state == "PENDING" else state
    executor = f"{place(step)}(0).executor"
    yield from _retried(place(step), group, number, (executor, *following))
    names = [f"{executor}({attempt})" for attempt in range(attempts)]
    yield Node(executor, group, number, tuple(map(node_id, names)))
    for name in names:
        yield Node(name, state if name == names[-1] else "FAILED", number)


def _retried(name: str, state: str, number: int, after: tuple[str, ...]) -> Iterator[Node]:
    """A group or a driver: what comes after it hangs on its attempt."""
    yield Node(name, state, number, (node_id(f"{name}(0)"),))
    yield Node(f"{name}(0)", state, number, tuple(map(node_id, after)))


def _task(node: Node) -> Any:
    """As Kubeflow tells of it: it began so many minutes after noon, and took twelve seconds if it has ended."""
    begin = BEGIN + timedelta(minutes=node.minute)
    ended = node.state not in ("RUNNING", "PENDING")
    return api.V2beta1PipelineTaskDetail(
        display_name=node.name.rpartition(".")[2],
        state=node.state,
        create_time=BEGIN,
        start_time=begin,
        end_time=begin + timedelta(seconds=12) if ended else NEVER,
        child_tasks=[api.PipelineTaskDetailChildTask(pod_name=name) for name in node.after] or None,
    )
