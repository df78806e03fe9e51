"""model.yaml: the estimator, its hyper-parameters and the transformers of single features, checked when it is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tidegate.components.train.estimators import estimator_faults, named
from tidegate.components.train.hyperparameters import as_classes, parameter_faults
from tidegate.documents.formats import parse_yaml, read_text
from tidegate.documents.record import Estimator
from tidegate.documents.schema import Fault, faults, messages
from tidegate.process.errors import FaultsError

SCHEMA = {
    "type": "object",
    "required": ["estimator"],
    "properties": {
        "estimator": {"type": "string"},
        "parameters": {"type": "object", "additionalProperties": {}},
        "transformers": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Specification:
    """What model.yaml asks for; `text` and `name` are the file's own, by which its faults are told."""

    estimator: str
    parameters: Mapping[str, Any]
    transformers: Mapping[str, str]
    text: str
    name: str

    def unfitted(self) -> Any:
        """The estimator with its hyper-parameters, not fitted."""
        return named(self.estimator)(**self.parameters)

    def seeded(self, seed: int) -> "Specification":
        """With `seed` as `random_state`, where the estimator takes one and model.yaml names none."""
        if "random_state" not in named(self.estimator)._get_param_names() or "random_state" in self.parameters:
            return self
        return replace(self, parameters={**self.parameters, "random_state": seed})

    def part(self) -> Estimator:
        """What the record of a training says of it."""
        return Estimator(self.estimator, self.parameters, self.transformers)

    def refuse(self, wrong: Iterable[Fault]) -> None:
        """InputError with a line per fault, if there are any."""
        _refuse(wrong, self.text, self.name)


def read_specification(path: Path, task: str) -> Specification:
    """Read and check model.yaml; InputError names each line that is wrong and what is allowed there."""
    return parse_specification(read_text(path), task, str(path))


def parse_specification(text: str, task: str, name: str = "model.yaml") -> Specification:
    """Parse and check the text of model.yaml."""
    document = parse_yaml(text, name)
    if isinstance(document, dict):
        empty = [key for key in ("parameters", "transformers") if key in document and document[key] is None]
        document = {key: value for key, value in document.items() if key not in empty}
    _refuse(faults(document, SCHEMA), text, name)
    _refuse(estimator_faults(document["estimator"], task), text, name)
    parameters = dict(document.get("parameters", {}))
    if parameters.get("random_state", 0) is None:  # the same as none
        del parameters["random_state"]
    _refuse(parameter_faults(named(document["estimator"]), parameters, task), text, name)
    parameters = as_classes(parameters, task)
    return Specification(document["estimator"], parameters, document.get("transformers", {}), text, name)


def _refuse(wrong: Iterable[Fault], text: str, name: str) -> None:
    if listed := list(wrong):
        raise FaultsError(messages(listed, text, name))
