"""`tidegate approve`: promotes a version that waits for approval."""

import argparse

from tidegate.commands.command import REASON, VERSION, Command


def approve(arguments: argparse.Namespace) -> None:
    """Promote an accepted version that waits for approval; its verdict must still be valid."""
    from tidegate.commands.reviewing import approvals

    approvals.approve(arguments.version, arguments.reason)
    print(f"version {arguments.version} is champion")


COMMAND = Command("promote a version that waits for approval", approve, {"version": VERSION, "--reason": REASON})
