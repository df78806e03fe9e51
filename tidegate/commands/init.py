"""`tidegate init`: creates the folder of a new problem."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, Command, tell


def init(arguments: argparse.Namespace) -> None:
    """Create the folder of a new problem, drafted from one file of events, with its data, under git and DVC."""
    from tidegate.commands.draft import new_problem

    words = (arguments.label, arguments.time, arguments.key, arguments.names)
    problem = new_problem.begin(arguments.dir, arguments.data, *words, arguments.cluster)
    tell(problem, arguments.json, lambda problem: new_problem.show(arguments.dir, problem))


COMMAND = Command(
    "create the folder of a new problem",
    init,
    {
        "dir": {"type": Path, "metavar": "DIR", "help": "the folder to create"},
        "--data": {"type": Path, "required": True, "metavar": "FILE", "help": "one row per event, CSV or Parquet"},
        "--label": {"required": True, "metavar": "COLUMN", "help": "the column to predict"},
        "--time": {
            "required": True,
            "metavar": "COLUMN",
            "help": "the time of the event (UTC); of several columns: Date,Time",
        },
        "--key": {"default": "", "metavar": "COLUMN,...", "help": "the primary key; default: guessed from the data"},
        "--names": {"default": "", "metavar": "COLUMN,...", "help": "names of the columns, if the file has none"},
        "--cluster": {"action": "store_true", "help": "also write cluster.yaml, for runs on a cluster"},
        "--json": JSON,
    },
)
