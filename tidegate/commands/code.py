"""`tidegate code`: writes a digest of each step's code, for DVC."""

import argparse

from tidegate.commands.command import Command
from tidegate.process import runner
from tidegate.process.code import digests, write_digests


def code(arguments: argparse.Namespace) -> None:
    """Write a digest of each step's code to artifacts/code: DVC runs this, then every step whose digest changed."""
    if arguments.list:
        print("\n".join(f"{name}={digest}" for name, digest in digests().items()))
        return
    from tidegate.commands.loop import rewritten

    runner.watch()
    rewritten.check()
    write_digests()


COMMAND = Command(
    "write a digest of each step's code",
    code,
    {"--list": {"action": "store_true", "help": "print the digests, and write nothing"}},
)
