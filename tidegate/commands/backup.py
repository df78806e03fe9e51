"""`tidegate backup`: copies the registry of the problem into one file."""

import argparse
from pathlib import Path

from tidegate.commands.command import Command


def backup(arguments: argparse.Namespace) -> None:
    """Copy what MLflow holds of the problem into one file: journal, versions, batches, runs and their files.

    The file replaces one of the same name once it is whole. A run of the loop may go on meanwhile.
    """
    from tidegate.commands.upkeep import copies

    print(copies.backup(arguments.file))


COMMAND = Command(
    "copy the registry of the problem into one file",
    backup,
    {"file": {"type": Path, "metavar": "FILE", "help": "the file to write, such as flights.zip"}},
)
