"""`tidegate init`: a new repository for a problem of your own."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, Command, tell


def init(arguments: argparse.Namespace) -> None:
    """Make a new repository for a problem of your own: drafted from one file of events, with its data."""
    from tidegate.commands.draft import new_problem

    found = new_problem.begin(arguments.dir, arguments.data, arguments.label, arguments.time, arguments.key)
    tell(found, arguments.json, lambda found: new_problem.show(arguments.dir, found))


COMMAND = Command(
    "make a new repository for a problem of your own",
    init,
    {
        "dir": {"type": Path, "metavar": "DIR", "help": "the folder to make"},
        "--data": {"type": Path, "required": True, "metavar": "FILE", "help": "one row per event, CSV or Parquet"},
        "--label": {"required": True, "metavar": "COLUMN", "help": "what is predicted"},
        "--time": {"required": True, "metavar": "COLUMN", "help": "when the event is (UTC)"},
        "--key": {"default": "", "metavar": "COLUMN,...", "help": "what tells rows apart; guessed without it"},
        "--json": JSON,
    },
)
