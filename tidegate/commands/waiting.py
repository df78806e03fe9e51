"""`tidegate waiting`: the versions that wait for a person."""

import argparse

from tidegate.commands.command import JSON, Command, tell


def waiting(arguments: argparse.Namespace) -> None:
    """List the accepted versions that wait for a person (deploy.approval is manual)."""
    from tidegate.commands.reviewing import approvals

    tell(approvals.waiting(), arguments.json, approvals.show)


COMMAND = Command("list the versions that wait for a person", waiting, {"--json": JSON})
