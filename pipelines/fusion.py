"""Fuses tasks of a compiled pipeline into one task, which runs their commands one after the other in one pod.

Each task costs about twenty seconds of overhead on a cluster. The steps, their files and the DVC stages do not change.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from tidegate.pipelines.sharing import container, refused, retries, settings

Document = dict[str, Any]
KINDS = {
    "artifacts": ("taskOutputArtifact", "outputArtifactKey"),
    "parameters": ("taskOutputParameter", "outputParameterKey"),
}
PLACEHOLDER = re.compile(r"\{\{\$\.(inputs|outputs)\.(artifacts|parameters)\['([^']+)'\]([^}]*)\}\}")
MERGED = {"cachingOptions", "componentRef", "dependentTasks", "inputs", "retryPolicy", "taskInfo"}


class Place(NamedTuple):
    """A port of a step: `side` is inputs or outputs, `kind` artifacts or parameters."""

    step: str
    side: str
    kind: str
    name: str


class Port(NamedTuple):
    """A port of the fused task before it is named: where it comes from, what identifies it, and its definition."""

    place: Place
    source: str
    definition: Mapping[str, Any]


def fused(
    ir: Mapping[str, Any], platform: Mapping[str, Any], groups: Sequence[Sequence[str]], place: str
) -> tuple[Document, Document]:
    """Both documents of a compiled pipeline with each group of steps as one task; errors begin with `place`.

    InputError for a group that is out of order, crosses a condition, or needs another step to run in between.
    """
    documents = deepcopy(dict(ir)), deepcopy(dict(platform))
    for steps in groups:
        _fuse(*documents, steps, f"{place}: fuse [{', '.join(steps)}]")
    return documents


def _fuse(ir: Document, platform: Document, steps: Sequence[str], subject: str) -> None:
    tasks = _tasks(ir, steps, subject)
    _check_order(tasks, steps, subject)
    name, members = "-".join(steps), {step: tasks.pop(step) for step in steps}
    executors = ir["deploymentSpec"]["executors"]
    pod_settings = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    components = {step: ir["components"].pop(task["componentRef"]["name"]) for step, task in members.items()}
    labels = [component["executorLabel"] for component in components.values()]
    ports = _ports(members, components, subject)
    names = _names(ports)
    containers = {step: executors.pop(label)["container"] for step, label in zip(steps, labels, strict=True)}
    words = {step: _words(step, containers[step], names) for step in steps}
    ir["components"][f"comp-{name}"] = {"executorLabel": f"exec-{name}", **_definitions(ports, names)}
    executors[f"exec-{name}"] = {"container": container(list(containers.values()), words, subject)}
    pod = pod_settings[f"exec-{name}"] = settings([pod_settings.pop(label) for label in labels], subject)
    tasks[name] = _task(name, members, _inputs(members, names), int(pod["activeDeadlineSeconds"]))
    for task in tasks.values():
        _rewire(task, name, steps, names)


def _tasks(ir: Document, steps: Sequence[str], subject: str) -> Document:
    """The tasks of the graph that contains all the steps; InputError if no graph contains all of them."""
    graphs = [ir["root"]["dag"], *(part["dag"] for part in ir["components"].values() if "dag" in part)]
    for graph in graphs:
        if set(steps) <= graph["tasks"].keys() and "outputs" not in graph:
            tasks: Document = graph["tasks"]
            for step in steps:
                _check_plain(ir, tasks[step], step, subject)
            return tasks
    raise refused(subject, "steps on the same side of the condition", "steps on both sides")


def _check_plain(ir: Document, task: Document, step: str, subject: str) -> None:
    if "executorLabel" not in ir["components"][task["componentRef"]["name"]] or task.keys() - MERGED:
        raise refused(subject, "plain steps", f"{step}, which is none")


def _check_order(tasks: Document, steps: Sequence[str], subject: str) -> None:
    """Raise InputError unless the steps are in execution order and no other step has to run between them."""
    before = {name: _ancestors(tasks, name) for name in tasks}
    for number, step in enumerate(steps):
        if later := [name for name in steps[number + 1 :] if name in before[step]]:
            raise refused(subject, "the order in which they run", f"{step} before {later[0]}")
    for name in sorted(tasks.keys() - set(steps)):
        if before[name] & set(steps) and any(name in before[step] for step in steps):
            raise refused(subject, "steps with no other between them", f"{name} between them")


def _ancestors(tasks: Document, name: str) -> set[str]:
    ancestors: set[str] = set()
    queue = [name]
    while queue:
        task = tasks[queue.pop()]
        direct = {*task.get("dependentTasks", []), *(producer for producer, _ in _producers(task))} - ancestors
        ancestors |= direct
        queue += direct
    return ancestors


def _producers(task: Document) -> Iterator[tuple[str, Document]]:
    """Each input that another task produces: the name of that task, and the reference."""
    for kind, (wrapper, _) in KINDS.items():
        for reference in task.get("inputs", {}).get(kind, {}).values():
            if wrapper in reference:
                yield reference[wrapper]["producerTask"], reference[wrapper]


def _ports(members: Document, components: Document, subject: str) -> dict[Place, Port]:
    """The port of the fused task for every port of every step.

    An input that another of the steps produces shares the port of that output.
    """
    ports: dict[Place, Port] = {}
    for step, component in components.items():
        for place, definition in _defined(step, "outputs", component):
            ports[place] = Port(place, step, definition)
    for step, component in components.items():
        for place, definition in _defined(step, "inputs", component):
            reference = members[step]["inputs"][place.kind][place.name]
            ports[place] = _input(place, reference, definition, ports, subject)
    return ports


def _defined(step: str, side: str, component: Document) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    for kind in KINDS:
        for name, definition in component.get(f"{side[:-1]}Definitions", {}).get(kind, {}).items():
            yield Place(step, side, kind, name), definition


def _input(
    place: Place, reference: Document, definition: Mapping[str, Any], outputs: Mapping[Place, Port], subject: str
) -> Port:
    wrapper, key = KINDS[place.kind]
    source = reference.get(wrapper, {})
    inner = Place(source.get("producerTask", ""), "outputs", place.kind, source.get(key, ""))
    if inner in outputs and place.kind == "parameters":
        # Kubeflow inserts values into a command before it runs; this value is computed while the command runs.
        raise refused(subject, "steps that exchange files only", f"the value {inner.name} from {inner.step}")
    return outputs.get(inner) or Port(place, json.dumps([reference, definition], sort_keys=True), definition)


def _names(ports: Mapping[Place, Port]) -> dict[Place, Place]:
    """The place of every port in the fused task: its own name, prefixed with the step's if two names clash."""
    distinct: dict[tuple[str, ...], Place] = {}
    for port in ports.values():
        distinct.setdefault(_identity(port), port.place)
    firsts = list(distinct.values())
    named = {place: _name(place, firsts) for place in firsts}
    return {place: named[distinct[_identity(port)]] for place, port in ports.items()}


def _identity(port: Port) -> tuple[str, ...]:
    return (*port.place[1:], port.source)


def _name(place: Place, places: Sequence[Place]) -> Place:
    clash = any(_clash(place, other) for other in places if other is not place)
    return place._replace(name=f"{place.step}_{place.name}") if clash else place


def _clash(first: Place, second: Place) -> bool:
    """Whether two names are equal; for artifacts, also whether one is a prefix of the other."""
    if first.kind == second.kind == "artifacts":
        return first.name.startswith(second.name) or second.name.startswith(first.name)
    return first.name == second.name


def _definitions(ports: Mapping[Place, Port], names: Mapping[Place, Place]) -> Document:
    definitions: Document = {}
    for place, (_, side, kind, name) in names.items():
        definitions.setdefault(f"{side[:-1]}Definitions", {}).setdefault(kind, {})[name] = ports[place].definition
    return definitions


def _inputs(members: Document, names: Mapping[Place, Place]) -> Document:
    inputs: Document = {}
    for place, (_, side, kind, name) in names.items():
        if side == "inputs":
            inputs.setdefault(kind, {})[name] = members[place.step]["inputs"][kind][place.name]
    return inputs


def _words(step: str, container: Document, names: Mapping[Place, Place]) -> list[str]:
    """The command of a step, with its placeholders renamed to the ports of the fused task."""

    def renamed(match: re.Match[str]) -> str:
        side, kind, name, rest = match.groups()
        port = names[Place(step, side, kind, name)]
        return f"{{{{$.{port.side}.{port.kind}['{port.name}']{rest}}}}}"

    return [PLACEHOLDER.sub(renamed, word) for word in (*container["command"], *container["args"])]


def _task(name: str, members: Document, inputs: Document, deadline: int) -> Document:
    cached = all(task.get("cachingOptions", {}).get("enableCache") for task in members.values())
    before = {other for task in members.values() for other in task.get("dependentTasks", [])} - members.keys()
    policies = [task["retryPolicy"] for task in members.values() if "retryPolicy" in task]
    return {
        "cachingOptions": {"enableCache": True} if cached else {},
        "componentRef": {"name": f"comp-{name}"},
        "inputs": inputs,
        "taskInfo": {"name": name},
        **({"dependentTasks": sorted(before)} if before else {}),
        **({"retryPolicy": retries(policies, deadline)} if policies else {}),
    }


def _rewire(task: Document, name: str, steps: Sequence[str], names: Mapping[Place, Place]) -> None:
    """Replace references of a task to the fused steps by references to the fused task."""
    for kind, (wrapper, key) in KINDS.items():
        for reference in task.get("inputs", {}).get(kind, {}).values():
            source = reference.get(wrapper, {})
            if source.get("producerTask") in steps:
                port = names[Place(source["producerTask"], "outputs", kind, source[key])]
                source.update({"producerTask": name, key: port.name})
    if before := task.get("dependentTasks"):
        task["dependentTasks"] = sorted({name if other in steps else other for other in before})
