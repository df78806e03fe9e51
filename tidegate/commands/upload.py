"""`tidegate upload`: uploads the problem's pipeline to the cluster."""

import argparse

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import Command


def upload(arguments: argparse.Namespace) -> None:
    """Upload the problem's pipeline as a version, unless it exists; start no run."""
    from tidegate.commands.cluster import service, submission
    from tidegate.pipelines import kubeflow

    print(submission.ensure_version(service.connect(connection_of(arguments)), kubeflow.compile()).name)


COMMAND = Command("upload the problem's pipeline, without starting a run", upload, FLAGS)
