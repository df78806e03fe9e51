"""`tidegate batches`: lists all decided batches."""

import argparse

from tidegate.commands.command import JSON, Command, tell


def batches(arguments: argparse.Namespace) -> None:
    """List every batch that was decided, the oldest first: the gate's decision, the verdict, the champion after it."""
    from tidegate.commands.reviewing import batches

    tell(batches.decided(), arguments.json, batches.show)


COMMAND = Command("list every batch that was decided", batches, {"--json": JSON})
