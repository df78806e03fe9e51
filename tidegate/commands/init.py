"""`tidegate init`: the folder of a new problem."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, Command, tell


def init(arguments: argparse.Namespace) -> None:
    """Make the folder of a new problem: drafted from one file of events, with its data, under git and DVC."""
    from tidegate.commands.draft import new_problem

    words = (arguments.label, arguments.time, arguments.key)
    found = new_problem.begin(arguments.dir, arguments.data, *words, arguments.cluster)
    tell(found, arguments.json, lambda found: new_problem.show(arguments.dir, found))


COMMAND = Command(
    "make the folder of a new problem",
    init,
    {
        "dir": {"type": Path, "metavar": "DIR", "help": "the folder to make"},
        "--data": {"type": Path, "required": True, "metavar": "FILE", "help": "one row per event, CSV or Parquet"},
        "--label": {"required": True, "metavar": "COLUMN", "help": "what is predicted"},
        "--time": {
            "required": True,
            "metavar": "COLUMN",
            "help": "when the event is (UTC); Date,Time: two columns",
        },
        "--key": {"default": "", "metavar": "COLUMN,...", "help": "what tells rows apart; guessed without it"},
        "--cluster": {"action": "store_true", "help": "write cluster.yaml, too, which a run on a cluster needs"},
        "--json": JSON,
    },
)
