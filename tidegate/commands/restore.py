"""`tidegate restore`: puts a copy of the registry into an MLflow that has nothing of the problem."""

import argparse
from pathlib import Path

from tidegate.commands.command import Command


def restore(arguments: argparse.Namespace) -> None:
    """Put a copy that `tidegate backup` made into an MLflow without this problem, with the same numbers of versions.

    Every byte of the copy is checked first. After an interruption, run it again: it goes on.
    """
    from tidegate.commands.upkeep import copies

    print(copies.restore(arguments.file))


COMMAND = Command(
    "put such a copy into an MLflow without this problem",
    restore,
    {"file": {"type": Path, "metavar": "FILE", "help": "a file that `tidegate backup` wrote"}},
)
