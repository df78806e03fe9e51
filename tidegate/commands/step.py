"""`tidegate step NAME`: runs one step, as DVC and Kubeflow do.

A scalar without a flag is read from the step's section of params.yaml, so that no value passes through a shell.
"""

import argparse
import ast
import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from tidegate.commands.command import Command
from tidegate.documents.formats import read_json, read_text, replacing, write_json
from tidegate.process import code, runner
from tidegate.process.errors import InputError

PARAMETERS = Path("params.yaml")
NAMES = (*code.STEPS, *code.BESIDE)
# What `dvc plots` draws of an output: it warns of a document in which it does not find the fields.
WITHOUT_POINTS = {
    "record.json": {"learning_curve": [{"rows": None, "train_loss": None, "held_out_loss": None}]},
    "metrics.json": {"models": [{"model": None, "loss": None}]},
}
ELSEWHERE = {"recordings": "serve.record"}  # for an older dvc.yaml, which has no --from
USAGE = f"""\
usage: tidegate step NAME [--if FILE] [--from FLAG=SECTION.KEY ...] FLAGS

Run one step, as DVC and Kubeflow do: {", ".join(NAMES)}.

  --if FILE                  run it if the file reads `true`; if it reads `false`, write its outputs as skipped
  --from FLAG=SECTION.KEY    read this flag from another section of params.yaml than the step's own
  FLAGS                      its inputs, outputs and values; a value without a flag is read from params.yaml

`tidegate step NAME --help` lists the flags of a step."""


class Words(NamedTuple):
    """The parsed command line."""

    name: str
    condition: Path | None
    sources: dict[str, str]  # flag: SECTION.KEY
    flags: list[str]


def main(words: Sequence[str]) -> None:
    """Run the step, or write its outputs as skipped; InputError for an invalid command line."""
    if words[:1] in ([], ["-h"], ["--help"]):
        print(USAGE)
        return
    read = parse(words)
    runner.watch()
    if read.condition and not is_open(read.condition):
        reason = f"{read.condition} is false: the gate is shut"
        for port, kind in outputs(read.name).items():
            skip(Path(_value(read, port)), kind, reason)
        return
    if "DVC_STAGE" in os.environ:
        code.check_digest(read.name)
        if read.name == "ingest":  # DVC runs the stage code and looks at data.dvc in any order
            from tidegate.commands.loop import rewritten

            rewritten.check()
    module = import_module(f"tidegate.components.{read.name}.__main__")
    function = getattr(module, read.name)
    from tidegate.process.command import run

    run(function, [*read.flags, *_from_parameters(read, function)], f"tidegate step {read.name}")


def parse(words: Sequence[str]) -> Words:
    """Split the command line into the name, the options `--if` and `--from`, and the step's own flags."""
    name, *rest = words
    if name not in NAMES:
        from tidegate.documents.schema import hint

        raise InputError("tidegate step", "a step", hint(name, list(NAMES)), "see `tidegate step --help`")
    condition: Path | None = None
    sources: dict[str, str] = {}
    while len(rest) > 1 and rest[0] in ("--if", "--from"):
        option, value, *rest = rest
        if option == "--if":
            condition = Path(value)
        else:
            flag, _, place = value.partition("=")
            if not flag or place.count(".") != 1:
                raise InputError("--from", "FLAG=SECTION.KEY", repr(value), "see `tidegate step --help`")
            sources[flag] = place
    return Words(name, condition, sources, rest)


def is_open(file: Path) -> bool:
    """The decision of the gate; InputError for anything but `true` and `false`."""
    text = read_text(file)
    if text not in ("true", "false"):
        raise InputError(file, "true or false", f"{text[:40]!r}", "run the stage that writes it again")
    decision = file.with_name("decision.json")
    if decision.is_file() and str(read_json(decision).get("retrain")).lower() != text:
        raise InputError(file, f"the decision of {decision.name}", text, "run gate again")
    return text == "true"


def outputs(name: str) -> dict[str, str]:
    """Output or OutputFolder by parameter, read from the step's signature: a skipped step imports nothing."""
    path = code.ROOT / "components" / name / "__main__.py"
    tree = ast.parse(read_text(path), str(path))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    kinds = {argument.arg: ast.unparse(argument.annotation or ast.Constant("")) for argument in function.args.args}
    return {port: kind for port, kind in kinds.items() if kind.startswith("Output")}


def skip(path: Path, kind: str, reason: str) -> None:
    """Write the reason as the output: JSON, an HTML page, or a folder for a folder of tables."""
    if kind == "OutputFolder":
        with replacing(path) as folder:
            write_json(folder / "skipped.json", {"skipped": reason})
    elif path.suffix == ".html":
        from tidegate.pages.page import write_note

        write_note(path, "Skipped", reason)
    else:
        write_json(path, {"skipped": reason, **WITHOUT_POINTS.get(path.name, {})})


def _value(read: Words, port: str) -> str:
    for word, value in zip(read.flags, [*read.flags[1:], ""], strict=True):
        flag, equals, rest = word.partition("=")
        if flag == f"--{port}":
            return rest if equals else value
    raise InputError(f"tidegate step {read.name}", f"--{port}", "nothing", f"see `tidegate step {read.name} --help`")


def _from_parameters(read: Words, function: Any) -> Iterator[str]:
    """A flag for each scalar without one, with its value from params.yaml."""
    flags = {word.partition("=")[0] for word in read.flags}
    kinds = {name: kind for name, kind in get_type_hints(function).items() if kind is not Path}
    lacking = [name for name in inspect.signature(function).parameters if name in kinds and f"--{name}" not in flags]
    if not lacking or "--help" in flags or "-h" in flags or not PARAMETERS.is_file():
        return
    from tidegate.documents.parameters import read_parameters

    values = read_parameters(PARAMETERS)
    for name in lacking:
        section, _, key = read.sources.get(name, _place(read.name, name, values)).partition(".")
        if key in values.get(section, {}):
            value = values[section][key]
            yield f"--{name}={str(value).lower() if isinstance(value, bool) else value}"


def _place(step: str, name: str, values: Mapping[str, Mapping[str, Any]]) -> str:
    """The section of a value and its name: the step's own, else the one that has it (for an older dvc.yaml)."""
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    return f"{next((section for section in (step, *values) if name in values.get(section, {})), step)}.{name}"


def step(arguments: argparse.Namespace) -> None:
    """Run one step, as DVC and Kubeflow do: see `tidegate step --help`."""
    main(arguments.words)


COMMAND = Command(
    "run one step, as DVC and Kubeflow do",
    step,
    {"words": {"nargs": argparse.REMAINDER, "metavar": "NAME ...", "help": "the step and its flags"}},
)
