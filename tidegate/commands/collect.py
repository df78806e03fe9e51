"""`tidegate collect`: adds new rows of the sources to the data."""

import argparse

from tidegate.commands.command import Command


def collect(arguments: argparse.Namespace) -> None:
    """Add new rows of the sources in contract.yaml to data/, as a new version of data.dvc."""
    from tidegate.commands.loop import collection

    if collection.collect(arguments.until):
        print("data.dvc names the new version: commit it, or go on with `tidegate run`")


COMMAND = Command(
    "add new rows of the sources to the data",
    collect,
    {"--until": {"metavar": "DATE", "help": "ignore rows after this moment (UTC); default: now"}},
)
