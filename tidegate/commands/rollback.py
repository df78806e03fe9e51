"""`tidegate rollback`: an earlier champion serves again."""

import argparse

from tidegate.commands.command import REASON, Command


def rollback(arguments: argparse.Namespace) -> None:
    """Make an earlier champion serve again; the loop does not promote the one it replaces again."""
    from tidegate.commands.reviewing import champions

    print(f"version {champions.rollback(arguments.to, arguments.reason)} is champion")


COMMAND = Command(
    "make an earlier champion serve again",
    rollback,
    {
        "--to": {"metavar": "VERSION", "help": "the version; without it the latest that nobody refused"},
        "--reason": REASON,
    },
)
