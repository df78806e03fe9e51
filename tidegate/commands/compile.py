"""`tidegate compile`: compiles a pipeline for Kubeflow."""

import argparse
from pathlib import Path

from tidegate.commands.command import PIPELINE, Command


def compile(arguments: argparse.Namespace) -> None:
    """Compile the training pipeline for Kubeflow, or another one."""
    from tidegate.documents.formats import write_text
    from tidegate.pipelines import kubeflow

    write_text(arguments.output, kubeflow.compile(arguments.image, name=arguments.pipeline))


COMMAND = Command(
    "compile a pipeline for Kubeflow",
    compile,
    {
        "--output": {"type": Path, "required": True, "metavar": "FILE", "help": "the YAML file to write"},
        "--pipeline": PIPELINE,
        "--image": {"metavar": "IMAGE", "help": "the image to run; default: the image of this code"},
    },
)
