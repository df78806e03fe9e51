"""`tidegate manifests`: writes the manifests of a cluster, for kustomize."""

import argparse
import shutil
from pathlib import Path

from tidegate.commands.command import Command
from tidegate.process.errors import InputError

MANIFESTS = Path(__file__).parents[1] / "manifests"
SECRETS = ("secrets.env", "secrets.json")  # what `passwords.py` writes beside itself


def manifests(arguments: argparse.Namespace) -> None:
    """Write the manifests of the servers and of the accounts that runs need, for kustomize, into a new folder."""
    from tidegate.documents.formats import replacing, write_text

    if arguments.dir.exists():
        raise InputError(arguments.dir, "a new folder", "an existing one", "name another folder")
    with replacing(arguments.dir) as folder:
        shutil.copytree(MANIFESTS, folder, ignore=shutil.ignore_patterns("__pycache__", *SECRETS))
        write_text(folder / ".gitignore", "".join(f"/{name}\n" for name in SECRETS))
    print(f"{arguments.dir}: passwords are made by `python -m {arguments.dir.name}.passwords local` beside it")


COMMAND = Command(
    "write the manifests of a cluster",
    manifests,
    {"dir": {"type": Path, "metavar": "DIR", "help": "the folder to create"}},
)
