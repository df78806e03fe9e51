"""`tidegate compile`: compiles the training pipeline for Kubeflow."""

import argparse
from pathlib import Path

from tidegate.commands.command import Command


def compile(arguments: argparse.Namespace) -> None:
    """Compile the training pipeline for Kubeflow."""
    from tidegate.documents.formats import write_text
    from tidegate.pipelines import kubeflow

    write_text(arguments.output, kubeflow.compile(arguments.image))


COMMAND = Command(
    "compile the training pipeline for Kubeflow",
    compile,
    {
        "--output": {"type": Path, "required": True, "metavar": "FILE", "help": "the YAML file to write"},
        "--image": {"metavar": "IMAGE", "help": "the image to run; default: the image of this code"},
    },
)
