"""`tidegate reject`: excludes a version from promotion."""

import argparse

from tidegate.commands.command import REASON, VERSION, Command


def reject(arguments: argparse.Namespace) -> None:
    """Record why a version must not serve; the loop does not promote it again."""
    from tidegate.commands.reviewing import approvals

    approvals.reject(arguments.version, arguments.reason)
    print(f"version {arguments.version} is rejected")


COMMAND = Command("exclude a version from promotion", reject, {"version": VERSION, "--reason": REASON})
