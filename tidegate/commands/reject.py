"""`tidegate reject`: a version is not to serve."""

import argparse

from tidegate.commands.command import REASON, VERSION, Command


def reject(arguments: argparse.Namespace) -> None:
    """Write down why a version is not to serve; the loop does not promote it any more."""
    from tidegate.commands.reviewing import approvals

    approvals.reject(arguments.version, arguments.reason)
    print(f"version {arguments.version} is rejected")


COMMAND = Command("say why a version is not to serve", reject, {"version": VERSION, "--reason": REASON})
