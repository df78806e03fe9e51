"""What a subcommand of `tidegate` is, and what several of them have in common."""

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A subcommand: its one line of help, what it does, and its flags as `add_argument` takes them."""

    help: str
    run: Callable[[argparse.Namespace], None]
    flags: Mapping[str, Mapping[str, Any]]


INTERRUPTED = 130  # the exit code of what Ctrl-C ended

JSON: Mapping[str, Any] = {"action": "store_true", "help": "print JSON, for a program"}
VERSION: Mapping[str, Any] = {"metavar": "VERSION", "help": "a registered version, such as 2"}
REASON: Mapping[str, Any] = {"required": True, "metavar": "TEXT", "help": "why, for the journal"}
SET: Mapping[str, Any] = {
    "action": "append",
    "default": [],
    "metavar": "SECTION.KEY=VALUE",
    "help": "another value than params.yaml's, or model.NAME=VALUE than model.yaml's; may be repeated",
}
REMOTE: Mapping[str, Any] = {"metavar": "REMOTE", "help": "a DVC remote by name or address; else the default one"}
UNCHECKED: Mapping[str, Any] = {"action": "store_true", "help": "without the checks of `tidegate doctor`"}


def tell(found: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print what was found as JSON, or show it to a person."""
    print(json.dumps(found, indent=2)) if as_json else show(found)
