"""`tidegate logs`: what became of the steps of a run, and why."""

import argparse

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import JSON, Command, tell


def logs(arguments: argparse.Namespace) -> None:
    """Show what became of each step of a run, and what the ones that failed said; with a step, its whole log."""
    from tidegate.commands.cluster import logs, service

    found = logs.report(service.connect(connection_of(arguments)), arguments.run_id, arguments.step)
    tell(found, arguments.json, lambda found: logs.show(found, whole=bool(arguments.step)))


COMMAND = Command(
    "show why a run on the cluster failed",
    logs,
    {
        "run_id": {"metavar": "RUN", "help": "its id, as `tidegate runs` lists it"},
        "step": {"metavar": "STEP", "nargs": "?", "help": "a step, for its whole log"},
        "--json": JSON,
        **FLAGS,
    },
)
