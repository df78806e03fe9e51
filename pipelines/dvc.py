"""Converts the compiled pipeline to the `stages:` of dvc.yaml: the same commands, with paths instead of artifacts."""

import io
import re
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import FoldedScalarString

from tidegate.documents.formats import parse_yaml, read_text, read_yaml
from tidegate.pipelines.graph import CLUSTER_ONLY, Parameter, Port, Task, tasks
from tidegate.process.errors import InputError

PIPELINE = Path("dvc.yaml")
PARAMETERS = Path("params.yaml")
CODE = "code"  # the stage that writes a digest of each step's code
# The files of the checkout that replace the outputs of `pull`, which runs only on a cluster.
CHECKOUT = {
    "data": "data",
    "contract": "contract.yaml",
    "sql": "features.sql",
    "estimator": "model.yaml",
}
EXTENSIONS = {
    "Dataset": "",
    "Artifact": ".json",
    "HTML": ".html",
    "Metrics": ".json",
    "ClassificationMetrics": ".json",
    "Model": ".skops",
    "parameter": "",
}
TYPES: dict[str, tuple[set[type], str]] = {
    "STRING": ({str}, "text in quotes"),
    "NUMBER_INTEGER": ({int}, "a whole number"),
    "NUMBER_DOUBLE": ({int, float}, "a number"),
    "BOOLEAN": ({bool}, "true or false"),
}
NEW = "# `tidegate render` writes the stages; everything else in this file is written by hand.\nstages: {}\n"
STAGES = re.compile(r"^stages:.*\n(?:[ \t].*\n|\n)*", re.MULTILINE)


def render(ir: Mapping[str, Any]) -> str:
    """The text of dvc.yaml with its stages replaced and everything else unchanged."""
    present = read_text(PIPELINE) if PIPELINE.exists() else NEW
    rendered = stages(ir, read_yaml(PARAMETERS))
    # Replaced as text, because a YAML round trip loses the comment between the last stage and the next section.
    text = STAGES.sub(lambda _: _yaml(rendered) + "\n", present).rstrip("\n") + "\n"
    document = parse_yaml(text, PIPELINE)
    if not isinstance(document, dict) or document.get("stages") != rendered:
        raise InputError(
            PIPELINE, "one `stages:`, its lines indented", "another layout", "put `stages: {}` in its place"
        )
    return text


def stages(ir: Mapping[str, Any], parameters: Any) -> dict[str, Any]:
    """A stage for each task that DVC runs, in the order of execution; InputError for an unset parameter."""
    wired = tasks(ir)
    rendered = [task for task in wired if task.name not in CLUSTER_ONLY]
    read = [source for task in rendered for source in task.inputs.values() if isinstance(source, Port)]
    written = {Port(task.name, port): _path(task, port) for task in rendered for port in task.outputs}
    paths = {port: CHECKOUT[port.name] for port in read if port.task in CLUSTER_ONLY} | written
    for source in (source for task in rendered for source in task.inputs.values()):
        if isinstance(source, Parameter):
            _check(source, parameters)
    return {CODE: _code(rendered)} | {task.name: _stage(task, paths) for task in rendered}


def _code(rendered: list[Task]) -> dict[str, Any]:
    """The stage that always runs; stages that depend on it run only if their digest changed."""
    outs = [{_digest(task): {"cache": False, "persist": True}} for task in rendered]
    return {"cmd": "tidegate code", "always_changed": True, "outs": outs}


def _digest(task: Task) -> str:
    return f"artifacts/{CODE}/{task.name}"


def _path(task: Task, port: str) -> str:
    kind = task.outputs[port]
    if kind not in EXTENSIONS:
        raise InputError(f"{task.name}: {port}", f"one of {', '.join(EXTENSIONS)}", kind, "give it one of these types")
    return f"artifacts/{task.name}/{port}{EXTENSIONS[kind]}"


def _check(parameter: Parameter, parameters: Any) -> None:
    section, _, key = parameter.name.partition("_")
    values = parameters.get(section) if isinstance(parameters, dict) else None
    types, expected = TYPES[parameter.kind]
    if not isinstance(values, dict) or key not in values:
        subject = f"pipeline parameter {parameter.name}"
        raise InputError(subject, f"{section}.{key} in {PARAMETERS}", "nothing", "add it there")
    if type(values[key]) not in types:
        raise InputError(f"{PARAMETERS}: {section}.{key}", expected, f"{values[key]!r}", "change it")


def _stage(task: Task, paths: Mapping[Port, str]) -> dict[str, Any]:
    read = [paths[source] for source in task.inputs.values() if isinstance(source, Port)]
    scalars = {port: _name(source) for port, source in task.inputs.items() if isinstance(source, Parameter)}
    elsewhere = [f"--from {port}={name}" for port, name in scalars.items() if name != f"{task.name}.{port}"]
    written = {port: paths[Port(task.name, port)] for port in task.outputs}
    files = {port: paths[source] for port, source in task.inputs.items() if isinstance(source, Port)} | written
    command = [" ".join(task.command), *elsewhere, *(f"--{port} {path}" for port, path in files.items())]
    metrics = [path for port, path in written.items() if task.outputs[port] == "Metrics"]
    if task.condition:
        gate = paths[task.condition]
        command.insert(1, f"--if {gate}")
        read.append(gate)
    stage = {
        "cmd": _folded(command),
        "deps": [*read, _digest(task)],
        "params": list(scalars.values()),
        # Without `persist`, DVC deletes earlier outputs, and restores `deploy` from its run cache without running it.
        "outs": [{path: {"persist": True}} for path in written.values() if path not in metrics],
        "metrics": [{path: {"persist": True}} for path in metrics],
    }
    return {key: value for key, value in stage.items() if value}


def _name(parameter: Parameter) -> str:
    return parameter.name.replace("_", ".", 1)


def _folded(lines: list[str]) -> FoldedScalarString:
    text: FoldedScalarString = FoldedScalarString(" ".join(lines))
    blanks = [end + index for index, end in enumerate(accumulate(map(len, lines[:-1])))]
    text.fold_pos = blanks  # type: ignore[attr-defined]
    return text


def _yaml(rendered: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump({"stages": rendered}, stream)
    return re.sub(r"\n(?=  \w)", "\n\n", stream.getvalue()).replace("\n\n", "\n", 1)
