"""`tidegate rollback`: promotes an earlier champion again."""

import argparse

from tidegate.commands.command import REASON, Command


def rollback(arguments: argparse.Namespace) -> None:
    """Promote an earlier champion again; the loop will not promote the replaced version again."""
    from tidegate.commands.reviewing import champions

    print(f"version {champions.rollback(arguments.to, arguments.reason)} is champion")


COMMAND = Command(
    "promote an earlier champion again",
    rollback,
    {
        "--to": {"metavar": "VERSION", "help": "the version; default: the latest one that was not rejected"},
        "--reason": REASON,
    },
)
