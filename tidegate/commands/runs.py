"""`tidegate runs`: lists the runs on the cluster."""

import argparse

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import JSON, Command, tell


def runs(arguments: argparse.Namespace) -> None:
    """List the newest runs on the cluster: start, end of the batch, state, gate decision (from MLflow)."""
    from tidegate.commands.cluster import run_list, service

    rows = run_list.listed(service.connect(connection_of(arguments)), arguments.limit)
    tell(rows, arguments.json, run_list.show)


COMMAND = Command(
    "list the runs on the cluster",
    runs,
    {
        "--limit": {"type": int, "default": 20, "metavar": "N", "help": "the maximum number of runs (20)"},
        "--json": JSON,
        **FLAGS,
    },
)
