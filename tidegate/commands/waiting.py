"""`tidegate waiting`: lists the versions that wait for approval."""

import argparse

from tidegate.commands.command import JSON, Command, tell


def waiting(arguments: argparse.Namespace) -> None:
    """List the accepted versions that wait for approval (with `deploy.approval: manual`)."""
    from tidegate.commands.reviewing import approvals

    tell(approvals.waiting(), arguments.json, approvals.show)


COMMAND = Command("list the versions that wait for approval", waiting, {"--json": JSON})
