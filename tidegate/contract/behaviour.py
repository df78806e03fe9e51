"""The behavioural tests that contract.yaml declares; a model has to pass them regardless of its loss."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from tidegate.documents.schema import Fault, hint, listed
from tidegate.process.errors import InputError

Value = str | float | bool
# The keys that each kind of test requires, beside `test`, and its optional keys.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "invariance": ("feature", "values"),
    "direction": ("feature", "values", "effect"),
    "minimum": ("given",),
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "invariance": ("tolerance", "class"),
    "direction": ("tolerance", "class"),
    "minimum": ("at_least", "at_most", "class"),
}


@dataclass(frozen=True)
class Behaviour:
    """One behavioural test of predictions: the number, or the probability of the label or of the class `of`.

    `invariance`: predictions stay within `tolerance` when `feature` takes each of `values`. `direction`: along
    `values` predictions go `effect` (up or down), and back by at most `tolerance`. `minimum`: with the values of
    `given` the mean prediction is `at_least` or `at_most` the limit.
    """

    test: str
    feature: str = ""
    values: tuple[Value, ...] = ()
    effect: str = ""
    tolerance: float = 0.0
    given: Mapping[str, Value] = field(default_factory=dict)
    at_least: float | None = None
    at_most: float | None = None
    of: str = ""

    @property
    def features(self) -> dict[str, tuple[Value, ...]]:
        """The features that the test changes, each with the values that it takes."""
        return {self.feature: self.values} if self.feature else {name: (value,) for name, value in self.given.items()}


def behaviour(document: Mapping[str, Any]) -> Behaviour:
    """One test, parsed from its section of contract.yaml."""
    plain = {name: value for name, value in document.items() if name != "class"}
    of = {"of": document["class"]} if "class" in document else {}
    return Behaviour(**{**plain, **of, "values": tuple(document.get("values", ()))})


def behaviour_faults(tests: Mapping[str, Behaviour], task: str) -> Iterator[Fault]:
    """The faults that a JSON schema cannot express: keys that do not fit together, and impossible limits."""
    for name, test in tests.items():
        for fault in _faults(test, task):
            yield fault._replace(path=("behaviour", name, *fault.path))


def _faults(test: Behaviour, task: str) -> Iterator[Fault]:
    present = {"class" if key == "of" else key for key, value in asdict(test).items() if value or value == 0}
    present -= {"test", *(("tolerance",) if not test.tolerance else ())}
    if missing := [key for key in REQUIRED[test.test] if key not in present]:
        yield Fault((), f"all of {', '.join(REQUIRED[test.test])} of the test {test.test}", f"no {', '.join(missing)}")
    keys = [*REQUIRED[test.test], *OPTIONAL[test.test]]
    for key in sorted(present - set(keys)):
        yield Fault((key,), f"one of {listed(keys)} of the test {test.test}", key, at_key=True)
    if test.test == "minimum" and (test.at_least is None) == (test.at_most is None):
        found = "none" if test.at_least is None else "both"
        yield Fault((), "either at_least or at_most", found)
    if len(set(map(str, test.values))) < len(test.values):
        yield Fault(("values",), "values that differ", ", ".join(map(str, test.values)))
    if (task == "multiclass") != bool(test.of):
        expected = "the class whose probability is tested" if task == "multiclass" else f"no class in the task {task}"
        yield Fault(("class",) if test.of else (), expected, test.of or "none")
    limits = {key: getattr(test, key) for key in ("at_least", "at_most", "tolerance")}
    for key, value in limits.items():
        if value is not None and not (isfinite(value) and (task == "regression" or 0 <= value <= 1)):
            yield Fault((key,), "a finite number" if task == "regression" else "a probability, 0 to 1", str(value))


def check_behaviour(tests: Mapping[str, Behaviour], features: Mapping[str, str]) -> None:
    """Raise InputError for a test of an unknown feature, or with values of the wrong type."""
    for name, test in tests.items():
        for feature, values in test.features.items():
            place = f"contract.yaml: behaviour.{name}"
            if feature not in features:
                raise InputError(
                    place, f"a feature ({listed(list(features))})", hint(feature, list(features)), "correct it"
                )
            numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
            if features[feature] == "number" and not numbers:
                raise InputError(f"{place}: {feature}", "numbers", ", ".join(map(str, values)), "correct it")
