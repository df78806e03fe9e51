"""`tidegate collect`: what the sources have, added to the data."""

import argparse

from tidegate.commands.command import Command


def collect(arguments: argparse.Namespace) -> None:
    """Add the rows that the sources of contract.yaml have to data/, as a new version of data.dvc."""
    from tidegate.commands.loop import collection

    if collection.collect(arguments.until):
        print("data.dvc names the new version: commit it, or go on with `tidegate run`")


COMMAND = Command(
    "add what the sources have to the data",
    collect,
    {"--until": {"metavar": "DATE", "help": "leave out what is later than this moment (UTC); without it, now"}},
)
