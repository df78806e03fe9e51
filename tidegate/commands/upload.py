"""`tidegate upload`: the problem's pipeline as a version on the cluster."""

import argparse

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import Command


def upload(arguments: argparse.Namespace) -> None:
    """Upload the problem's pipeline as a version of it, unless it is there; start nothing."""
    from tidegate.commands.cluster import service, submission
    from tidegate.pipelines import kubeflow

    print(submission.ensure_version(service.connect(connection_of(arguments)), kubeflow.compile()).name)


COMMAND = Command("upload the problem's pipeline, and start nothing", upload, FLAGS)
