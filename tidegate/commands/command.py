"""The type of the subcommands of `tidegate`, and their common flags."""

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A subcommand: its help line, its function, and its flags as arguments of `add_argument`."""

    help: str
    run: Callable[[argparse.Namespace], None]
    flags: Mapping[str, Mapping[str, Any]]


INTERRUPTED = 130  # the exit code after Ctrl-C

JSON: Mapping[str, Any] = {"action": "store_true", "help": "print JSON"}
VERSION: Mapping[str, Any] = {"metavar": "VERSION", "help": "a registered version, such as 2"}
REASON: Mapping[str, Any] = {"required": True, "metavar": "TEXT", "help": "why, for the journal"}
SET: Mapping[str, Any] = {
    "action": "append",
    "default": [],
    "metavar": "SECTION.KEY=VALUE",
    "help": "override a value of params.yaml, or of model.yaml by model.NAME=VALUE; may be repeated",
}
REMOTE: Mapping[str, Any] = {"metavar": "REMOTE", "help": "a DVC remote, by name or URL; default: the default remote"}
PIPELINE: Mapping[str, Any] = {
    "choices": ("training", "predicting", "monitoring"),
    "default": "training",
    "help": "which pipeline; default: training",
}
UNCHECKED: Mapping[str, Any] = {"action": "store_true", "help": "skip the checks of `tidegate doctor`"}


def tell(result: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print a result as JSON, or by `show`."""
    print(json.dumps(result, indent=2)) if as_json else show(result)
