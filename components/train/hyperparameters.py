"""The hyper-parameters of model.yaml, held against what the estimator itself allows."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tidegate.documents.schema import Fault, hint

# What training decides itself, and the value that says so.
DECIDED = {
    "categorical_features": ("from_dtype", "nothing: the categories are the features that are texts"),
    "verbose": (0, "nothing: training tells its own progress"),
    "warm_start": (False, "nothing: every training starts afresh"),
}
WORDS = re.compile(r"The '\w+' parameter of \w+ must be (?P<expected>.*)\. Got (?P<found>.*) instead\.", re.DOTALL)


def parameter_faults(kind: Any, parameters: Mapping[str, Any], task: str) -> Iterator[Fault]:
    """What is wrong with the hyper-parameters of an estimator of class `kind`."""
    wrong = [fault for name, value in parameters.items() for fault in _faults(kind, name, value, task)]
    yield from wrong
    if not wrong and task != "regression" and not hasattr(kind(**parameters), "predict_proba"):
        loss = parameters.get("loss", kind().loss)
        yield Fault(("parameters", "loss"), "a loss that gives probabilities, such as log_loss", repr(loss))


def _faults(kind: Any, name: str, value: Any, task: str) -> Iterator[Fault]:
    path, names = ("parameters", name), kind._get_param_names()
    if name not in names:
        yield Fault(path, f"one of {', '.join(names)}", hint(name, names), at_key=True)
    elif name in DECIDED and value != DECIDED[name][0]:
        yield Fault(path, DECIDED[name][1], repr(value))
    elif name == "class_weight" and isinstance(value, Mapping):
        yield from _class_weight_faults(value, task)
    elif not _plain(value):
        yield Fault(path, "a number, a text, true, false or a list of those", "names with values")
    else:
        yield from _value_faults(kind, name, value)


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _value_faults(kind: Any, name: str, value: Any) -> Iterator[Fault]:
    """What scikit-learn says of one value, on one line."""
    try:
        kind(**{name: value})._validate_params()
    except (TypeError, ValueError) as error:
        message = " ".join(str(error).split())
        match = WORDS.fullmatch(message)
        expected, found = match.groups() if match else ("a value that scikit-learn takes", message)
        yield Fault(("parameters", name), expected, found)


def _class_weight_faults(value: Mapping[Any, Any], task: str) -> Iterator[Fault]:
    for name, weight in value.items():
        path = ("parameters", "class_weight", str(name))
        if task == "binary" and name not in (0, 1):  # False and True are 0 and 1
            yield Fault(path, "true or false", repr(name), at_key=True)
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < float("inf"):
            yield Fault(path, "a weight above 0", repr(weight))


def as_classes(parameters: Mapping[str, Any], task: str) -> dict[str, Any]:
    """The hyper-parameters; classes are texts to a multiclass model, also where YAML reads numbers or booleans."""
    weights = parameters.get("class_weight")
    if task != "multiclass" or not isinstance(weights, Mapping):
        return dict(parameters)
    return {**parameters, "class_weight": {_class(key): value for key, value in weights.items()}}


def _class(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def class_faults(parameters: Mapping[str, Any], classes: Iterable[str]) -> Iterator[Fault]:
    """The class weights of a multiclass model that name no class among the labels it learns from."""
    weights, allowed = parameters.get("class_weight"), sorted(set(classes))
    for name in weights if isinstance(weights, Mapping) else ():
        if name not in allowed:
            path = ("parameters", "class_weight", name)
            yield Fault(path, f"one of {', '.join(allowed)}", hint(name, allowed), at_key=True)
