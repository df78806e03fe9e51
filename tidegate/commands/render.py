"""`tidegate render`: what is made from the pipeline."""

import argparse

from tidegate.commands.command import Command


def render(arguments: argparse.Namespace) -> None:
    """Write what is made from the pipeline, or with --check compare it with what is there."""
    from tidegate.pipelines import rendering

    (rendering.check if arguments.check else rendering.write)()


COMMAND = Command(
    "write the stages of dvc.yaml and the pictures from the pipeline",
    render,
    {"--check": {"action": "store_true", "help": "write nothing, fail where they differ"}},
)
