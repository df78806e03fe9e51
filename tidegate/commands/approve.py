"""`tidegate approve`: a version that waits becomes champion."""

import argparse

from tidegate.commands.command import REASON, VERSION, Command


def approve(arguments: argparse.Namespace) -> None:
    """Make an accepted version champion that waits for a person; its verdict must still hold."""
    from tidegate.commands.reviewing import approvals

    approvals.approve(arguments.version, arguments.reason)
    print(f"version {arguments.version} is champion")


COMMAND = Command("make a version champion that waits for a person", approve, {"version": VERSION, "--reason": REASON})
