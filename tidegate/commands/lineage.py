"""`tidegate lineage`: shows the origins and the consequences of a version."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, VERSION, Command, tell


def lineage(arguments: argparse.Namespace) -> None:
    """Show the origins of a version, down to the digest of every source file, and its consequences."""
    from tidegate.commands.provenance import origin

    document = origin.lineage(arguments.version)
    if arguments.picture:
        origin.draw(document, arguments.picture)
    tell(document, arguments.json, lambda document: print(origin.text(document)))


COMMAND = Command(
    "show the origins and the consequences of a version",
    lineage,
    {
        "version": VERSION,
        "--picture": {"type": Path, "metavar": "FILE", "help": "also write it as a picture (SVG)"},
        "--json": JSON,
    },
)
