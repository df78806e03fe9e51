"""The compiled pipeline as a list of tasks, from which the DVC stages and the picture are made."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

from tidegate.process.errors import InputError

# DVC does not run these: they fetch what a local checkout already contains.
CLUSTER_ONLY = ("collect", "pull")
OPEN = re.compile(r"inputs\.parameter_values\['([^']+)'\] == true")


class Port(NamedTuple):
    """An output of a task."""

    task: str
    name: str


class Parameter(NamedTuple):
    """A parameter of the pipeline; `kind` is STRING, NUMBER_INTEGER, NUMBER_DOUBLE or BOOLEAN.

    An output parameter of a cluster-only task becomes, in DVC, a parameter of the step that reads it.
    """

    name: str
    kind: str
    handed_on_by: Port | None = None


@dataclass(frozen=True)
class Task:
    """One task: its ports in the order of its flags, its outputs with their kinds (`Dataset`, `parameter`)."""

    name: str
    command: tuple[str, ...]
    inputs: Mapping[str, Port | Parameter]
    outputs: Mapping[str, str]
    condition: Port | None
    group: str | None

    def sources(self) -> list[Port]:
        """The outputs of other tasks that this task depends on."""
        origins = (source.handed_on_by if isinstance(source, Parameter) else source for source in self.inputs.values())
        return [source for source in (*origins, self.condition) if source]


def tasks(ir: Mapping[str, Any]) -> list[Task]:
    """The tasks in topological order; InputError for constructs that DVC cannot express."""
    by_name = {task.name: task for task in _flattened(ir)}
    before = {name: sorted({port.task for port in by_name[name].sources()}) for name in sorted(by_name)}
    return [by_name[name] for name in TopologicalSorter(before).static_order()]


def edges(ir: Mapping[str, Any]) -> dict[str, list[str]]:
    """The outputs that each task depends on, as `task.port`."""
    return {task.name: sorted({".".join(port) for port in task.sources()}) for task in tasks(ir)}


def _flattened(ir: Mapping[str, Any]) -> Iterator[Task]:
    for name, task in ir["root"]["dag"]["tasks"].items():
        component = ir["components"][task["componentRef"]["name"]]
        if "dag" not in component:
            yield _task(ir, name, task, {}, None, None)
            continue
        scope = _inputs(task)
        condition = _condition(name, task, scope)
        for inner_name, inner in component["dag"]["tasks"].items():
            yield _task(ir, inner_name, inner, scope, condition, task["taskInfo"]["name"])


def _condition(name: str, group: Mapping[str, Any], scope: Mapping[str, Any]) -> Port:
    condition = group.get("triggerPolicy", {}).get("condition", "")
    match = OPEN.fullmatch(condition)
    source = _resolve(scope[match[1]], {}) if match else None
    if not isinstance(source, Port) or group.keys() & {"parameterIterator", "artifactIterator"}:
        raise _refused(name, condition or "another kind of group")
    return source


def _task(
    ir: Mapping[str, Any],
    name: str,
    task: Mapping[str, Any],
    scope: Mapping[str, Any],
    condition: Port | None,
    group: str | None,
) -> Task:
    component = ir["components"][task["componentRef"]["name"]]
    if "executorLabel" not in component:
        raise _refused(name, "a group in a group")
    if task.keys() & {"triggerPolicy", "parameterIterator", "artifactIterator"}:
        raise _refused(name, "a trigger or a loop of its own")
    container = ir["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    flags = [word.removeprefix("--") for word in container["args"] if word.startswith("--")]
    kinds = component.get("inputDefinitions", {}).get("parameters", {})
    sources, kinds_of_outputs = _inputs(task), _outputs(component)
    # Ports of fused steps may have other names than their flags.
    flags = [*dict.fromkeys([*flags, *sources, *kinds_of_outputs])]
    used = [flag for flag in flags if flag in sources and not (name in CLUSTER_ONLY and _of_the_run(sources[flag]))]
    inputs = {flag: _source(name, flag, sources[flag], scope, kinds.get(flag)) for flag in used}
    outputs = {flag: kinds_of_outputs[flag] for flag in flags if flag in kinds_of_outputs}
    result = Task(name, tuple(container["command"]), inputs, outputs, condition, group)
    if set(task.get("dependentTasks", [])) - {source.task for source in result.sources()}:
        raise _refused(name, "an order without data, `.after(...)`")
    return result


def _source(
    task: str, flag: str, reference: Mapping[str, Any], scope: Mapping[str, Any], kind: Mapping[str, Any] | None
) -> Port | Parameter:
    source = _resolve(reference, scope)
    if isinstance(source, Port) and kind and source.task in CLUSTER_ONLY and task not in CLUSTER_ONLY:
        return Parameter(f"{task}_{flag}", kind["parameterType"], source)
    # DVC passes the path of an output, not its content.
    if isinstance(source, Port) and (not kind or task in CLUSTER_ONLY):
        return source
    if isinstance(source, str) and kind:
        return Parameter(source, kind["parameterType"])
    raise _refused(f"{task}, {flag}", " ".join(reference))


def _of_the_run(reference: Mapping[str, Any]) -> bool:
    """Whether Kubeflow fills in the value for each run, such as its start time."""
    return str(reference.get("runtimeValue", {}).get("constant", "")).startswith("{{$.")


def _inputs(task: Mapping[str, Any]) -> dict[str, Any]:
    inputs = task.get("inputs", {})
    return {**inputs.get("artifacts", {}), **inputs.get("parameters", {})}


def _outputs(component: Mapping[str, Any]) -> dict[str, str]:
    outputs = component.get("outputDefinitions", {})
    artifacts = {
        name: artifact["artifactType"]["schemaTitle"].removeprefix("system.")
        for name, artifact in outputs.get("artifacts", {}).items()
    }
    return artifacts | dict.fromkeys(outputs.get("parameters", {}), "parameter")


def _resolve(reference: Mapping[str, Any], scope: Mapping[str, Any]) -> Port | str | None:
    """The source of a value: a task's output, or the name of a parameter; None for anything else."""
    match reference:
        case {"componentInputArtifact": name} | {"componentInputParameter": name} if name in scope:
            return _resolve(scope[name], {})
        case {"componentInputParameter": str(name)}:
            return name
        case {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": port}}:
            return Port(task, port)
        case {"taskOutputParameter": {"producerTask": task, "outputParameterKey": port}}:
            return Port(task, port)
    return None


def _refused(place: str, found: str) -> InputError:
    expected = "steps, or steps directly in `with dsl.If(step.outputs[name] == True)`, fed by outputs and parameters"
    return InputError(f"pipeline, {place}", expected, found, "rewrite it: DVC does not support this")
