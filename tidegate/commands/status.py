"""`tidegate status`: shows the state of the problem."""

import argparse

from tidegate.commands.command import JSON, Command, tell


def status(arguments: argparse.Namespace) -> None:
    """Show the champion, the newest batch, versions that wait for approval, and whether `run` has anything to do."""
    from tidegate.commands.loop import status

    tell(status.status(), arguments.json, status.show)


COMMAND = Command("show the champion, the newest batch and what is next", status, {"--json": JSON})
