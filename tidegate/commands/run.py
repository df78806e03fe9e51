"""`tidegate run`: one turn of the loop on this machine."""

import argparse

from tidegate.commands.command import JSON, Command, tell


def run(arguments: argparse.Namespace) -> None:
    """Bring the workspace up to date: `dvc repro` with the data fetched, the registry checked, and a summary."""
    from tidegate.commands.loop import summary, turn

    seconds, champion = turn.turn(arguments.until, arguments.anew, arguments.in_containers)
    tell(summary.summary(seconds, champion), arguments.json, summary.show)


COMMAND = Command(
    "run one turn of the loop on this machine",
    run,
    {
        "--until": {"metavar": "DATE", "help": "move to this moment (UTC); writes ingest.until of params.yaml"},
        "--anew": {"action": "store_true", "help": "run every stage, whatever the registry remembers"},
        "--in-containers": {"action": "store_true", "help": "run the steps in the image that `make images` built"},
        "--json": JSON,
    },
)
