"""`tidegate lineage`: what made a version and what it led to."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, VERSION, Command, tell


def lineage(arguments: argparse.Namespace) -> None:
    """Show what made a version, down to the digest of every source file, and what it led to."""
    from tidegate.commands.provenance import origin

    found = origin.lineage(arguments.version)
    if arguments.picture:
        origin.draw(found, arguments.picture)
    tell(found, arguments.json, lambda found: print(origin.text(found)))


COMMAND = Command(
    "show what made a version and what it led to",
    lineage,
    {
        "version": VERSION,
        "--picture": {"type": Path, "metavar": "FILE", "help": "write it as a picture (SVG) too"},
        "--json": JSON,
    },
)
