"""`tidegate package`: a version as a folder that a team without Tidegate builds and runs."""

import argparse
from pathlib import Path

from tidegate.commands.command import SET, VERSION, Command
from tidegate.commands.serve import values


def package(arguments: argparse.Namespace) -> None:
    """Write a version as one folder: features, model and prediction as a Python package, its lock, a Dockerfile.

    Whoever gets the folder needs no Tidegate, no MLflow and no DVC: only the events, and the clean tables.
    """
    from tidegate.commands.packaging import folder
    from tidegate.commands.predict import loaded

    champion = loaded(arguments.name, arguments.version, values(arguments.set)["deploy"]["sign"])
    name = folder.write(champion, arguments.dir)
    print(f"{arguments.dir}: version {champion.version} as the package {name}; its README.md says how to run it")


COMMAND = Command(
    "write a version as a package that needs no Tidegate",
    package,
    {
        "version": VERSION,
        "dir": {"type": Path, "metavar": "DIR", "help": "the folder to create"},
        "--name": {"metavar": "NAME", "help": "the registered model; default: the name in contract.yaml"},
        "--set": {**SET, "help": "override deploy.sign"},
    },
)
