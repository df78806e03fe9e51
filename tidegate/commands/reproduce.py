"""`tidegate reproduce`: a version trained once more, and compared."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, VERSION, Command, tell
from tidegate.process.errors import InputError


def reproduce(arguments: argparse.Namespace) -> None:
    """Train a version once more from its registry record alone, by the Tidegate that made it; exit 2 if it differs."""
    from tidegate.commands.provenance import reproduction

    found = reproduction.reproduce(arguments.version, arguments.python, arguments.wheelhouse)
    tell(found, arguments.json, reproduction.show)
    if not found["same"]:
        recorded, again = (found["digest"][key] for key in ("recorded", "again"))
        raise InputError(f"version {arguments.version}", recorded, again, "see what differs above")


COMMAND = Command(
    "train a version once more and compare",
    reproduce,
    {
        "version": VERSION,
        "--python": {
            "type": Path,
            "metavar": "FILE",
            "help": "an interpreter to train by; without it that of the Tidegate that made the version",
        },
        "--wheelhouse": {
            "type": Path,
            "metavar": "DIR",
            "help": "a folder of wheels to install the lock of that Tidegate from",
        },
        "--json": JSON,
    },
)
