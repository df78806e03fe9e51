"""Where a step's log is: its pods, which the record of a run does not name but whose places it holds.

Argo calls a node of a workflow by its place in it, and gives it the workflow's name and a digest of that place as id;
a pod has the name of its template between these two. Kubeflow names the templates, and its record has the ids.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from tidegate.commands.cluster.states import details
from tidegate.process.errors import InputError

TEMPLATE = "system-container-impl"
DRIVER = "system-container-driver"
MOST_ATTEMPTS = 30  # found by number, because the record names no nodes


def names(ir: Mapping[str, Any], platform: Mapping[str, Any], step: str, run: Any) -> list[str]:
    """The names by which to request the log of a step, the last attempt first; none before Kubeflow knows the task."""
    path, task = _place(ir, step)
    return _named(run, [*path, "executor"], _template(ir, platform, task))


def driver_names(ir: Mapping[str, Any], step: str, run: Any) -> list[str]:
    """The same for the driver, which starts the step's pod."""
    path, _ = _place(ir, step)
    return _named(run, [*path[:-1], f"{step}-driver"], DRIVER)


def nodes(path: Sequence[str], node_ids: Container[str]) -> list[str]:
    """The known nodes at this place, the last attempt first; without any, their possible names.

    A workflow whose templates have a retry strategy has `X(0)` below `X` at each level; which have one is a default of
    the cluster.
    """
    workflow, *levels = path
    matches = _variants(workflow, workflow, node_ids) or [workflow]
    for level in levels:
        matches = [name for above in matches for name in _variants(workflow, f"{above}.{level}", node_ids)]
    guesses = [".".join(f"{level}(0)" for level in path), f"{'.'.join(path)}(0)", ".".join(path)]
    return matches or guesses


def node_id(workflow: str, name: str) -> str:
    """The id of a node."""
    return f"{workflow}-{fnv1a(name)}"


def fnv1a(text: str) -> int:
    """The 32-bit FNV hash at the end of Argo's names."""
    digest = 2166136261
    for byte in text.encode():
        digest = (digest ^ byte) * 16777619 % 2**32
    return digest


def _variants(workflow: str, name: str, node_ids: Container[str]) -> list[str]:
    attempts = [f"{name}({number})" for number in range(MOST_ATTEMPTS - 1, -1, -1)]
    matches = [attempt for attempt in attempts if node_id(workflow, attempt) in node_ids]
    return matches or ([name] if node_id(workflow, name) in node_ids else [])


def _named(run: Any, path: Sequence[str], template: str) -> list[str]:
    """The pod of each node, then the node itself, which Kubeflow accepts instead for an archived log."""
    node_ids = _ids(run)
    if not node_ids:
        return []
    workflow = re.sub(r"-\d+$", "", min(node_ids))
    ids = [node_id(workflow, name) for name in nodes([workflow, "root", *path], node_ids)]
    return [name for node in ids for name in (re.sub(r"-(\d+)$", rf"-{template}-\1", node), node)]


def _ids(run: Any) -> set[str]:
    """The nodes in the record: as children of others; in some versions of Kubeflow a task also names its own."""
    tasks = details(run)
    children = {child.pod_name for task in tasks for child in task.child_tasks or [] if child.pod_name}
    return children | {task.pod_name for task in tasks if task.pod_name and re.search(r"-\d+$", task.pod_name)}


def _place(ir: Mapping[str, Any], step: str) -> tuple[list[str], Mapping[str, Any]]:
    for path, task in _tasks(ir, ir["root"]["dag"]["tasks"], []):
        if path[-1] == step:
            return path, task
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
