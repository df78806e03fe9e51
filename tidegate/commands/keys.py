"""`tidegate keys`: makes and shows the key that signs versions, and signs one that is registered already."""

import argparse
from pathlib import Path

from tidegate.commands.command import VERSION, Command


def make(arguments: argparse.Namespace) -> None:
    """Write a new private key to a file that only you can read, and print its public key for `deploy.sign`."""
    from tidegate.commands.reviewing import signing

    print(signing.make(arguments.file))


def show(arguments: argparse.Namespace) -> None:
    """Print the public key of the private key that the environment names."""
    from tidegate.process import keys

    print(keys.signer().public)


def sign(arguments: argparse.Namespace) -> None:
    """Sign a registered version after its digests are checked: you vouch for it."""
    from tidegate.commands.reviewing import signing

    public = signing.sign(arguments.version)
    print(f"version {arguments.version} is signed by {public}")


COMMANDS = {
    "keys make": Command(
        "make a key that signs versions",
        make,
        {"file": {"type": Path, "metavar": "FILE", "help": "the private key, as PEM"}},
    ),
    "keys show": Command("print the public key of the signing key", show, {}),
    "keys sign": Command("sign a registered version", sign, {"version": VERSION}),
}
