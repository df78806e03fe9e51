"""Where a step's log is: the name of its pod, which Kubeflow's API does not tell, but which follows from the pipeline.

Argo calls a pod after the workflow, the template, and a digest of its place in the workflow; Kubeflow names the
templates.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from components.errors import InputError

TEMPLATE = "system-container-impl"


def names(ir: Mapping[str, Any], platform: Mapping[str, Any], step: str, run: Any) -> list[str]:
    """The pods that the step may have had, the last attempt first; none where Kubeflow told of no task yet."""
    tasks = (run.run_details.task_details if run.run_details else None) or []
    children = [child.pod_name for task in tasks for child in task.child_tasks or [] if child.pod_name]
    if not children:
        return []
    workflow = re.sub(r"-\d+$", "", children[0])
    attempts = [_attempt(task.display_name or "") for task in tasks]
    nodes = [*(f"executor({number})" for number in range(max(attempts, default=-1), -1, -1)), "executor"]
    path, template = _place(ir, platform, step)
    return [f"{workflow}-{template}-{fnv1a('.'.join([workflow, 'root', *path, node]))}" for node in nodes]


def fnv1a(text: str) -> int:
    """The 32-bit digest that Argo's names end in."""
    digest = 2166136261
    for byte in text.encode():
        digest = (digest ^ byte) * 16777619 % 2**32
    return digest


def _attempt(name: str) -> int:
    """The number of an attempt, -1 for what is none."""
    found = re.fullmatch(r"executor\((\d+)\)", name)
    return int(found[1]) if found else -1


def _place(ir: Mapping[str, Any], platform: Mapping[str, Any], step: str) -> tuple[list[str], str]:
    for path, task in _tasks(ir, ir["root"]["dag"]["tasks"], []):
        if path[-1] == step:
            return path, _template(ir, platform, task)
    raise InputError("step", "a step of the pipeline", step, "see `tidegate logs RUN`")


def _tasks(
    ir: Mapping[str, Any], tasks: Mapping[str, Any], above: list[str]
) -> Iterator[tuple[list[str], Mapping[str, Any]]]:
    for name, task in tasks.items():
        component = ir["components"][task["componentRef"]["name"]]
        yield [*above, name], task
        yield from _tasks(ir, component.get("dag", {}).get("tasks", {}), [*above, name])


def _template(ir: Mapping[str, Any], platform: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    executors = platform.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    label = ir["components"][task["componentRef"]["name"]].get("executorLabel", "")
    metadata = executors.get(label, {}).get("podMetadata")
    retried = "retry-" if "retryPolicy" in task else ""
    numbers = [len((metadata or {}).get(key, {})) for key in ("annotations", "labels")]
    return f"metadata-{numbers[0]}-{numbers[1]}-{retried}{TEMPLATE}" if metadata else f"{retried}{TEMPLATE}"
