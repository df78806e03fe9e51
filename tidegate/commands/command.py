"""What a subcommand of `tidegate` is."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A subcommand: its one line of help, what it does, and its flags as `add_argument` takes them."""

    help: str
    run: Callable[[argparse.Namespace], None]
    flags: Mapping[str, Mapping[str, Any]]


INTERRUPTED = 130  # the exit code of what Ctrl-C ended
JSON = {"action": "store_true", "help": "print JSON, for a program"}
