"""The contract of every step: the component, its face for Kubeflow and params.yaml say the same."""

import importlib
import inspect
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from kfp.dsl.container_component_class import ContainerComponent

from tidegate.documents.formats import read_yaml
from tidegate.pipelines import steps
from tidegate.pipelines.graph import Parameter, tasks
from tidegate.process import code

FACES = {name: face for name, face in vars(steps).items() if isinstance(face, ContainerComponent)}
SCALARS = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
KINDS: dict[str, type] = {"STRING": str, "NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "BOOLEAN": bool}


def face_of(name: str) -> dict[str, type]:
    """The ports of a step as its component must type them."""
    spec = FACES[name].component_spec
    inputs = {port: SCALARS.get(of.type, Path) for port, of in (spec.inputs or {}).items()}
    return inputs | dict.fromkeys(spec.outputs, Path)


def component_of(name: str) -> Any:
    """The function behind `tidegate step NAME`."""
    return getattr(importlib.import_module(f"tidegate.components.{name}.__main__"), name)


def arguments_of(name: str) -> list[str]:
    """What the container gets after its command."""
    return [str(word) for word in FACES[name].component_spec.implementation.container.args]


def test_all_steps_are_here() -> None:
    assert list(FACES) == [
        "collect",
        "pull",
        "ingest",
        "validate",
        "featurize",
        "gate",
        "train",
        "evaluate",
        "deploy",
        *code.BESIDE,
    ]


@pytest.mark.parametrize("name", FACES)
def test_component_and_face_have_the_same_ports(name: str) -> None:
    hints = get_type_hints(component_of(name))
    hints.pop("return", None)
    assert hints == face_of(name)


@pytest.mark.parametrize("name", FACES)
def test_every_parameter_of_a_component_is_required(name: str) -> None:
    parameters = inspect.signature(component_of(name)).parameters.values()
    assert [parameter.name for parameter in parameters if parameter.default is not parameter.empty] == []


@pytest.mark.parametrize("name", FACES)
def test_what_a_component_tells_reaches_kubeflow(name: str) -> None:
    tells = get_type_hints(component_of(name)).get("return", type(None)) is not type(None)
    assert ("--executor-input" in arguments_of(name)) or not tells


@pytest.mark.parametrize("name", FACES)
def test_every_port_is_passed_once_and_by_its_name(name: str) -> None:
    words = arguments_of(name)
    flags = [word.removeprefix("--") for word in words[::2] if word != "--executor-input"]
    assert flags == list(face_of(name))
    assert all(f"['{flag}']" in word for flag, word in zip(flags, words[1::2], strict=False))
    assert FACES[name].component_spec.implementation.container.command == ["tidegate", "step", name]


def test_params_yaml_holds_every_scalar_with_its_type(root: Path, compiled: dict[str, Any]) -> None:
    parameters = read_yaml(root / "params.yaml")
    wanted = {
        source.name: KINDS[source.kind]
        for task in tasks(compiled)
        for source in task.inputs.values()
        if isinstance(source, Parameter) and not source.name.startswith("pull_")
    }
    sections = [name.partition("_") for name in wanted]
    found = {f"{section}_{key}": type(parameters[section][key]) for section, _, key in sections}
    assert found == wanted
