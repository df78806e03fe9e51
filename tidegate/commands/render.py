"""`tidegate render`: writes the files that are generated from the pipeline."""

import argparse

from tidegate.commands.command import Command


def render(arguments: argparse.Namespace) -> None:
    """Write the files that are generated from the pipeline; with --check, compare them with the present ones."""
    from tidegate.pipelines import rendering

    (rendering.check if arguments.check else rendering.write)()


COMMAND = Command(
    "write the stages of dvc.yaml, the pictures and the schemas of documents",
    render,
    {"--check": {"action": "store_true", "help": "write nothing, and fail if a file differs"}},
)
