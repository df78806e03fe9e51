"""`tidegate logs`: shows the states and errors of the steps of a run."""

import argparse

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import JSON, Command, tell


def logs(arguments: argparse.Namespace) -> None:
    """Show the state of each step of a run, and the errors of failed steps; with a step, its complete log."""
    from tidegate.commands.cluster import logs, service

    report = logs.report(service.connect(connection_of(arguments)), arguments.run_id, arguments.step)
    tell(report, arguments.json, lambda report: logs.show(report, whole=bool(arguments.step)))


COMMAND = Command(
    "show why a run on the cluster failed",
    logs,
    {
        "run_id": {"metavar": "RUN", "help": "the id of the run, from `tidegate runs`"},
        "step": {"metavar": "STEP", "nargs": "?", "help": "show the complete log of this step"},
        "--json": JSON,
        **FLAGS,
    },
)
