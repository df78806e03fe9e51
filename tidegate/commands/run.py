"""`tidegate run`: runs the loop once on this machine."""

import argparse

from tidegate.commands.command import JSON, Command, tell


def run(arguments: argparse.Namespace) -> None:
    """Run the loop once: fetch the data, check the registry, run `dvc repro`, print a summary."""
    from tidegate.commands.loop import summary, turn

    seconds, champion = turn.turn(arguments.until, arguments.anew, arguments.in_containers)
    tell(summary.summary(seconds, champion), arguments.json, summary.show)


COMMAND = Command(
    "run the loop once on this machine",
    run,
    {
        "--until": {"metavar": "DATE", "help": "the end of the batch (UTC); written to ingest.until in params.yaml"},
        "--anew": {"action": "store_true", "help": "run every stage, even if nothing changed"},
        "--in-containers": {"action": "store_true", "help": "run the steps in the image that `make images` built"},
        "--json": JSON,
    },
)
