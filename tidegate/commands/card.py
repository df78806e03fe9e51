"""`tidegate card`: prints the model card of a version."""

import argparse
from pathlib import Path

from tidegate.commands.command import VERSION, Command


def card(arguments: argparse.Namespace) -> None:
    """Print the model card of a version as Markdown: data, purpose, metrics, slices, limits, lineage."""
    from tidegate.commands.provenance import origin

    print(origin.card(arguments.version, arguments.page), end="")


COMMAND = Command(
    "print the model card of a version",
    card,
    {
        "version": VERSION,
        "--page": {"type": Path, "metavar": "FILE", "help": "also write it as an HTML page"},
    },
)
