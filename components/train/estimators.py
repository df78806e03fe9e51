"""The estimators that model.yaml may name, and why it may name no others."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from tidegate.components.train.refusals import reason
from tidegate.documents.schema import Fault, hint
from tidegate.models import trust


def imported(defined: str) -> str:
    """The path by which people import a class of scikit-learn: the modules below its package are not shown."""
    root, package, *_, name = defined.split(".")
    return f"{root}.{package}.{name}"


CLASSIFIERS = tuple(map(imported, trust.CLASSIFIERS))
REGRESSORS = tuple(map(imported, trust.REGRESSORS))
ALLOWED = {"binary": CLASSIFIERS, "multiclass": CLASSIFIERS, "regression": REGRESSORS}


def named(path: str) -> Any:
    """The class that scikit-learn has under an import path, None when it has none; nothing else is imported."""
    module, _, name = path.rpartition(".")
    if not path.startswith("sklearn.") or {"tests", "conftest"} & set(path.split(".")):
        return None
    try:
        member = getattr(import_module(module), name, None)
    except Exception:  # some of its modules want packages that are not there
        return None
    return member if isinstance(member, type) and hasattr(member, "_get_param_names") else None


def estimator_faults(path: str, task: str) -> Iterator[Fault]:
    """What is wrong with an estimator's import path."""
    if path not in ALLOWED[task]:
        yield Fault(("estimator",), f"one of {', '.join(ALLOWED[task])}", _refused(path, task))


def _refused(path: str, task: str) -> str:
    """What was named, and why it cannot be had."""
    if path in (*CLASSIFIERS, *REGRESSORS):
        return f"{path!r}, which does not fit the task {task}"
    if not path.startswith("sklearn."):
        return f"{hint(path, ALLOWED[task])}: the checked loader knows estimators of scikit-learn only"
    kind = named(path)
    return f"{path!r}: {reason(kind)}" if kind else hint(path, ALLOWED[task])
