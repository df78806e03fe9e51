"""`tidegate doctor`: checks the requirements of a run on the cluster."""

import argparse
import sys

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import JSON, REMOTE, Command, tell
from tidegate.process import limits


def doctor(arguments: argparse.Namespace) -> None:
    """Check all that a run needs: its code, image, data, namespace and rights, Kubeflow, MLflow; exit 1 if not."""
    from tidegate.commands.cluster import data, prerequisites

    if arguments.make_bucket:
        print(data.make_bucket(arguments.remote, limits.LOOK_SECONDS), file=sys.stderr)
    results = prerequisites.examine(connection_of(arguments), arguments.remote)
    tell([check._asdict() for check in results], arguments.json, lambda _: prerequisites.show(results))
    sys.exit(any(check.state == prerequisites.WRONG for check in results))


COMMAND = Command(
    "check all that a run on the cluster needs",
    doctor,
    {
        "--remote": REMOTE,
        "--make-bucket": {"action": "store_true", "help": "first create the bucket of the DVC remote, if missing"},
        "--json": JSON,
        **FLAGS,
    },
)
