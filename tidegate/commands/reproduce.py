"""`tidegate reproduce`: trains a version again and compares the digests."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, VERSION, Command, tell
from tidegate.process.errors import InputError


def reproduce(arguments: argparse.Namespace) -> None:
    """Train a version again from its registry record, by the same Tidegate; exit 2 if the result differs."""
    from tidegate.commands.provenance import reproduction

    comparison = reproduction.reproduce(arguments.version, arguments.python, arguments.wheelhouse)
    tell(comparison, arguments.json, reproduction.show)
    if not comparison["same"]:
        recorded, again = (comparison["digest"][key] for key in ("recorded", "again"))
        raise InputError(f"version {arguments.version}", recorded, again, "see what differs above")


COMMAND = Command(
    "train a version again and compare the result",
    reproduce,
    {
        "version": VERSION,
        "--python": {
            "type": Path,
            "metavar": "FILE",
            "help": "the Python interpreter to use; default: an environment with the Tidegate of the version",
        },
        "--wheelhouse": {
            "type": Path,
            "metavar": "DIR",
            "help": "a folder of wheels from which to install the requirements of that Tidegate",
        },
        "--json": JSON,
    },
)
