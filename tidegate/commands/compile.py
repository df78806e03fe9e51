"""`tidegate compile`: the training pipeline as Kubeflow reads it."""

import argparse
from pathlib import Path

from tidegate.commands.command import Command


def compile(arguments: argparse.Namespace) -> None:
    """Write the training pipeline as Kubeflow reads it."""
    from tidegate.documents.formats import write_text
    from tidegate.pipelines import kubeflow

    write_text(arguments.output, kubeflow.compile(arguments.image))


COMMAND = Command(
    "write the training pipeline as Kubeflow reads it",
    compile,
    {
        "--output": {"type": Path, "required": True, "metavar": "FILE", "help": "the YAML file to write"},
        "--image": {"metavar": "IMAGE", "help": "run this image; without it that of this code, of cluster.yaml"},
    },
)
