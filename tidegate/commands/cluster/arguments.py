"""The parameters of a run: params.yaml and `--set`, checked against the pipeline; the problem's files as text."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tidegate.documents.formats import parse_yaml, read_text, read_yaml
from tidegate.documents.parameters import defaults, optional
from tidegate.pipelines.dvc import PARAMETERS, TYPES
from tidegate.process.errors import InputError

# Parameters of any step with these names get the text of these files.
TEXTS = {
    "data_dvc": Path("data.dvc"),
    "contract_yaml": Path("contract.yaml"),
    "features_sql": Path("features.sql"),
    "model_yaml": Path("model.yaml"),
}
LIMIT = 120 * 1024  # in total: Kubeflow passes them to a pod as one argument, which Linux limits to 128 KiB
EXPANDED = re.compile(r"\$\$|\$\(|\{\{")  # expanded by Kubernetes in arguments of a pod, and by Argo in a workflow


def arguments(
    ir: Mapping[str, Any], settings: Sequence[str], remote: str, own: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A value of the right type for every parameter of the pipeline; those of `own` are not from params.yaml.

    InputError for a setting of nothing, a value of another kind, a parameter without a value, too long texts, and
    texts that would come to the step as others.
    """
    every = {name: spec["parameterType"] for name, spec in ir["root"]["inputDefinitions"]["parameters"].items()}
    kinds = {name: kind for name, kind in every.items() if name not in (own or {})}
    overrides = dict(split(setting) for setting in settings)
    for name in overrides:
        _check_name(name, kinds)
    values = {**(own or {}), **{name: _value(name, kind, overrides, remote) for name, kind in kinds.items()}}
    for name, value in values.items():
        if isinstance(value, str):
            _check_unexpanded(name, value)
    _check_length(values)
    return values


def split(setting: str) -> tuple[str, str]:
    """The name and the text of `--set SECTION.KEY=VALUE`; InputError for anything else."""
    name, equals, text = setting.partition("=")
    if not equals or "." not in name:
        raise InputError(f"--set {setting}", "section.key=value", "something else", "as in --set train.window_days=90")
    return name, text


def _check_name(name: str, kinds: Mapping[str, str]) -> None:
    if name.startswith("model."):
        return
    settable = [kind.replace("_", ".", 1) for kind in kinds if _file_of(kind) is None]
    if name not in settable:
        close = get_close_matches(name, settable, 1)
        guess = f"did you mean {close[0]}?" if close else f"choose one of {', '.join(settable)}"
        raise InputError(f"--set {name}", "a parameter of the pipeline or of the model", "none of this name", guess)


def _value(name: str, kind: str, overrides: Mapping[str, str], remote: str) -> Any:
    dotted = name.replace("_", ".", 1)
    section, _, key = dotted.partition(".")
    if file := _file_of(name):
        return _text(file, overrides)
    if dotted in overrides:
        return checked(f"--set {dotted}", kind, typed(overrides[dotted], kind))
    if key == "remote":
        return remote
    values = (read_yaml(PARAMETERS) or {}).get(section, {} if section in optional() else None)
    if isinstance(values, dict):
        values = {**defaults(section), **values}
    if not isinstance(values, dict) or key not in values:
        raise InputError(f"pipeline parameter {name}", f"{dotted} in {PARAMETERS}", "nothing", "add it there")
    return checked(f"{PARAMETERS}: {dotted}", kind, values[key])


def _text(file: Path, overrides: Mapping[str, str]) -> str:
    text = read_text(file)
    if file.suffix != ".sql":
        parse_yaml(text, file)
    return with_model(text, overrides) if file.stem == "model" else text


def with_model(text: str, overrides: Mapping[str, str]) -> str:
    """The text of model.yaml with the hyper-parameters of the `model.NAME` settings; everything else is unchanged."""
    wanted = {name.removeprefix("model."): value for name, value in overrides.items() if name.startswith("model.")}
    if not wanted:
        return text
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 10_000
    document = yaml.load(text)
    parameters = document.get("parameters") if isinstance(document, dict) else None
    for name, value in wanted.items():
        if not isinstance(parameters, dict) or name not in parameters:
            names = ", ".join(parameters or ()) or "none"
            raise InputError(f"--set model.{name}", f"a parameter of model.yaml ({names})", "none", "add it there")
        parameters[name] = parse_yaml(value, f"--set model.{name}")
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _file_of(name: str) -> Path | None:
    return TEXTS.get(name.partition("_")[2])


def typed(text: str, kind: str) -> Any:
    """The value of a setting, which is YAML unless a text is asked for."""
    return text if kind == "STRING" else parse_yaml(text, "--set")


def checked(thing: str, kind: str, value: Any) -> Any:
    """The value as a parameter of this kind; InputError for one of another kind."""
    types, expected = TYPES[kind]
    if type(value) not in types:
        raise InputError(thing, expected.replace(" in quotes", ""), repr(value), "correct it")
    return float(value) if kind == "NUMBER_DOUBLE" else value


def _check_unexpanded(name: str, text: str) -> None:
    if match := EXPANDED.search(text):
        file, line = _file_of(name), text.count("\n", 0, match.start()) + 1
        place = f"{file}:{line}" if file else f"pipeline parameter {name}"
        expected = "a text without $$, $( and {{, which Kubernetes and Argo replace"
        raise InputError(place, expected, match[0], "write it in another way")


def _check_length(values: Mapping[str, Any]) -> None:
    total = _length(values)
    if total > LIMIT:
        lengths = {name: _length(value) for name, value in values.items()}
        longest = max(lengths, key=lambda name: lengths[name])
        raise InputError(
            "the run's parameters",
            f"at most {LIMIT:,} bytes in all, which is what Kubeflow takes",
            f"{total:,}, {lengths[longest]:,} of them in {longest}",
            "shorten that file",
        )


def _length(value: Any) -> int:
    """The value as Kubeflow passes it to a pod: one argument, as JSON."""
    return len(json.dumps(value, ensure_ascii=False).encode())
