"""`tidegate submit`: runs the problem's pipeline on the cluster."""

import argparse
import json
import sys

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import JSON, PIPELINE, REMOTE, SET, UNCHECKED, Command


def submit(arguments: argparse.Namespace) -> None:
    """Run a pipeline of the problem on the cluster; with --wait, exit 1 unless the run succeeds."""
    from tidegate.commands.cluster import jobs, submission, wait

    job = jobs.work(arguments.pipeline, arguments.until, arguments.set, arguments.remote)
    started = submission.submit(connection_of(arguments), job, arguments.unchecked)
    print(started.link, file=sys.stderr if arguments.json else sys.stdout, flush=True)
    if arguments.wait:
        sys.exit(wait.wait(started, arguments.json))
    if arguments.json:
        print(json.dumps({"run": started.id, "link": started.link, "version": started.version}, indent=2))


COMMAND = Command(
    "run the problem's pipeline on the cluster",
    submit,
    {
        "--pipeline": PIPELINE,
        "--until": {"metavar": "DATE", "help": "the end of the batch (UTC); does not change params.yaml"},
        "--set": SET,
        "--remote": REMOTE,
        "--unchecked": UNCHECKED,
        "--wait": {"action": "store_true", "help": "follow the run to its end"},
        "--json": JSON,
        **FLAGS,
    },
)
