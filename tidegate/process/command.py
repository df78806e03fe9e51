"""Makes a command line from a typed function: each parameter is a flag; a Path is a file, the rest are scalars."""

import argparse
import gc
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from tidegate.documents.formats import discard, read_json, write_json
from tidegate.process.errors import InputError, exit_code, messages
from tidegate.process.termination import unwinding

# Annotations of the outputs of a step: a file, or a folder of tables.
Output = Annotated[Path, "output"]
OutputFolder = Annotated[Path, "output folder"]
TYPE_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


Function = Callable[..., Mapping[str, Mapping[str, Any]] | None]


def run(function: Function, words: Sequence[str] | None = None, program: str | None = None) -> None:
    """Run `function` with flags, by default those of the process; print one line per error.

    Exit 2 for invalid input, 75 if a service is unavailable and a retry may succeed (see `exit_code`).
    The function may return {output name: metadata}, which Kubeflow shows in its UI. Signals end it (see `unwinding`).
    """
    _collect_garbage()
    with unwinding(discard):
        _run(function, words, program)


def _run(function: Function, words: Sequence[str] | None, program: str | None) -> None:
    arguments = vars(parser(function, program).parse_args(words))
    executor_input = arguments.pop("executor_input")
    try:
        _check_parameters(function.__name__, arguments)
        before = _states(function, arguments)
        metadata = function(**arguments)
        _check_unchanged(before, _states(function, arguments))
    except (InputError, OSError) as error:
        if os.environ.get("TIDEGATE_DEBUG"):
            traceback.print_exc()
        for line in messages(error):
            print(f"error: {line}", file=sys.stderr)
        sys.exit(exit_code(error))
    if executor_input and metadata:
        _write_executor_output(json.loads(executor_input), function.__name__, metadata)


def _states(function: Function, arguments: Mapping[str, Any]) -> dict[Path, object]:
    """For each input of a step its size and time of change; of a folder, those of each file."""
    kinds = get_type_hints(function, include_extras=True)
    inputs = [value for name, value in arguments.items() if kinds[name] is Path]
    return {file: _state(file) for path in inputs for file in (path, *sorted(path.rglob("*")))}


def _state(path: Path) -> object:
    status = path.stat() if path.exists() else None
    return None if status is None or path.is_dir() else (status.st_ino, status.st_size, status.st_mtime_ns)


def _check_unchanged(before: Mapping[Path, object], after: Mapping[Path, object]) -> None:
    """InputError if an input was edited while the step ran: DVC would take its outputs for those of the new one."""
    for path in sorted(before.keys() | after.keys()):
        if before.get(path, "") != after.get(path, ""):
            raise InputError(path, "an input that stays as it is while a step runs", "another content", "run it again")


def _collect_garbage() -> None:
    """Enable garbage collection, which the package disables during imports, for objects created from now on."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _check_parameters(step: str, arguments: Mapping[str, Any]) -> None:
    if scalars := {name: value for name, value in arguments.items() if not isinstance(value, Path)}:
        from tidegate.documents.parameters import check_parameter

        for name, value in scalars.items():
            check_parameter(step, name, value)


def parser(function: Callable[..., Any], program: str | None = None) -> argparse.ArgumentParser:
    """The command line of `function`: each parameter is a required flag of the same name."""
    result = argparse.ArgumentParser(
        prog=program or function.__name__, description=inspect.getdoc(function), allow_abbrev=False
    )
    hints = get_type_hints(function)
    for parameter in inspect.signature(function).parameters:
        kind = hints[parameter]
        result.add_argument(
            f"--{parameter}",
            required=True,
            type=_boolean if kind is bool else kind,
            metavar=kind.__name__.upper(),
            help=TYPE_NAMES[kind],
        )
    result.add_argument("--executor-input", help=argparse.SUPPRESS)
    return result


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"expected true or false, found {text!r}")
    return text == "true"


def _write_executor_output(
    executor_input: Mapping[str, Any], step: str, metadata: Mapping[str, Mapping[str, Any]]
) -> None:
    """Add the metadata of the step to Kubeflow's output file, which fused steps share."""
    outputs = executor_input["outputs"]
    path = Path(outputs["outputFile"])
    document = read_json(path) if path.exists() and path.stat().st_size else {}
    artifacts = document.setdefault("artifacts", {})
    for port, values in metadata.items():
        # In a fused task, clashing names are prefixed with the step's.
        name = port if port in outputs["artifacts"] else f"{step}_{port}"
        artifact = outputs["artifacts"][name]["artifacts"][0]
        artifacts[name] = {"artifacts": [{"name": artifact["name"], "uri": artifact["uri"], "metadata": dict(values)}]}
    write_json(path, document)
