"""`tidegate status`: where things stand."""

import argparse

from tidegate.commands.command import JSON, Command, tell


def status(arguments: argparse.Namespace) -> None:
    """Show where things stand: champion, newest batch, what waits for a person, whether `run` has something to do."""
    from tidegate.commands.loop import status

    tell(status.status(), arguments.json, status.show)


COMMAND = Command("show where things stand", status, {"--json": JSON})
