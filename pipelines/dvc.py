"""The compiled pipeline as the `stages:` of dvc.yaml: the same commands, with paths where Kubeflow has artifacts."""

import io
import re
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import FoldedScalarString

from components.errors import InputError
from components.formats import parse_yaml, read_text, read_yaml
from pipelines.code import code
from pipelines.graph import CLUSTER_ONLY, Parameter, Port, Task, tasks

PIPELINE = Path("dvc.yaml")
PARAMETERS = Path("params.yaml")
# A laptop has a checkout: what `pull` brings to a cluster lies there already.
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
    """The text that dvc.yaml should have: its stages replaced, all else as it is."""
    present = read_text(PIPELINE) if PIPELINE.exists() else NEW
    rendered = stages(ir, read_yaml(PARAMETERS))
    # Exchanged as text, because a YAML round trip loses the comment between the last stage and the next section.
    text = STAGES.sub(lambda _: _yaml(rendered) + "\n", present).rstrip("\n") + "\n"
    found = parse_yaml(text, PIPELINE)
    if not isinstance(found, dict) or found.get("stages") != rendered:
        raise InputError(
            PIPELINE, "one `stages:`, its lines indented", "another layout", "put `stages: {}` in its place"
        )
    return text


def stages(ir: Mapping[str, Any], parameters: Any) -> dict[str, Any]:
    """Every task that a laptop runs as a stage, in the order of the wiring; InputError for an unset parameter."""
    wired = tasks(ir)
    rendered = [task for task in wired if task.name not in CLUSTER_ONLY]
    read = [source for task in rendered for source in task.inputs.values() if isinstance(source, Port)]
    written = {Port(task.name, port): _path(task, port) for task in rendered for port in task.outputs}
    paths = {port: CHECKOUT[port.name] for port in read if port.task in CLUSTER_ONLY} | written
    for source in (source for task in rendered for source in task.inputs.values()):
        if isinstance(source, Parameter):
            _check(source, parameters)
    return {task.name: _stage(task, paths) for task in rendered}


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
        thing = f"pipeline parameter {parameter.name}"
        raise InputError(thing, f"{section}.{key} in {PARAMETERS}", "nothing", "add it there")
    if type(values[key]) not in types:
        raise InputError(f"{PARAMETERS}: {section}.{key}", expected, f"{values[key]!r}", "change it")


def _stage(task: Task, paths: Mapping[Port, str]) -> dict[str, Any]:
    read = [paths[source] for source in task.inputs.values() if isinstance(source, Port)]
    names = [_name(source) for source in task.inputs.values() if isinstance(source, Parameter)]
    written = {port: paths[Port(task.name, port)] for port in task.outputs}
    words = {port: _word(source, paths) for port, source in task.inputs.items()} | written
    command = [" ".join(task.command), *(f"--{port} {word}" for port, word in words.items())]
    metrics = [path for port, path in written.items() if task.outputs[port] == "Metrics"]
    if task.condition:
        gate = paths[task.condition]
        command = [*_when(task, gate, written), f"-- {command[0]}", *command[1:]]
        read += [gate, "pipelines/when.py"]
    stage = {
        "cmd": _folded(command),
        "deps": read + code(task.command[-1].rpartition(".")[2]),
        "params": names,
        # DVC otherwise deletes earlier outputs, and replays `deploy` from its run cache without running it.
        "outs": [{path: {"persist": True}} for path in written.values() if path not in metrics],
        "metrics": [{path: {"persist": True}} for path in metrics],
    }
    return {key: value for key, value in stage.items() if value}


def _word(source: Port | Parameter, paths: Mapping[Port, str]) -> str:
    if isinstance(source, Port):
        return paths[source]
    return f'"${{{_name(source)}}}"' if source.kind == "STRING" else f"${{{_name(source)}}}"


def _name(parameter: Parameter) -> str:
    return parameter.name.replace("_", ".", 1)


def _when(task: Task, gate: str, written: Mapping[str, str]) -> list[str]:
    # The slash tells a folder of tables: it stays a folder when the stage is skipped.
    marked = [path + "/" * (task.outputs[port] == "Dataset") for port, path in written.items()]
    return ["python -m pipelines.when", f"--if {gate}", f"--writes {marked[0]}", *marked[1:]]


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
