"""The subcommands of `tidegate` that talk to a cluster; what each needs is imported when it runs."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.commands.cluster.connection import FLAGS, Connection, connection
from tidegate.commands.command import JSON, Command


def submit(arguments: argparse.Namespace) -> None:
    """Run this commit's pipeline on the cluster; with --wait, exit 1 unless the run succeeds."""
    from tidegate.commands.cluster import submission, wait

    job = submission.work(arguments.until, arguments.set, arguments.remote)
    started = submission.submit(_connection(arguments), job, arguments.unchecked)
    print(started.link, file=sys.stderr if arguments.json else sys.stdout, flush=True)
    if arguments.wait:
        sys.exit(wait.wait(started, arguments.json))
    if arguments.json:
        print(json.dumps({"run": started.id, "link": started.link, "version": started.version}, indent=2))


def upload(arguments: argparse.Namespace) -> None:
    """Upload this commit's pipeline as a version of it, unless it is there; start nothing."""
    from tidegate.commands.cluster import service, submission
    from tidegate.pipelines import kubeflow

    print(submission.ensure_version(service.connect(_connection(arguments)), kubeflow.compile()).name)


def runs(arguments: argparse.Namespace) -> None:
    """List the newest runs on the cluster: when, until, state, the gate's decision where MLflow knows it."""
    from tidegate.commands.cluster import run_list, service

    found = run_list.listed(service.connect(_connection(arguments)), arguments.limit)
    print(json.dumps(found, indent=2)) if arguments.json else run_list.show(found)


def logs(arguments: argparse.Namespace) -> None:
    """Show what became of each step of a run, and what the ones that failed said; with a step, its whole log."""
    from tidegate.commands.cluster import logs, service

    found = logs.told(service.connect(_connection(arguments)), arguments.run_id, arguments.step)
    print(json.dumps(found, indent=2)) if arguments.json else logs.show(found, whole=bool(arguments.step))


def schedule_apply(arguments: argparse.Namespace) -> None:
    """Make the recurring run what cluster.yaml declares; again, it changes nothing."""
    from tidegate.commands.cluster import schedules, service, submission

    job = submission.work(None, arguments.set, arguments.remote)
    there = service.connect(_connection(arguments))
    print(f"{schedules.apply(there, job, arguments.unchecked)}")
    schedules.show(schedules.shown(there))


def schedule_show(arguments: argparse.Namespace) -> None:
    """Show the recurring run."""
    from tidegate.commands.cluster import schedules, service

    found = schedules.shown(service.connect(_connection(arguments)))
    print(json.dumps(found, indent=2)) if arguments.json else schedules.show(found)


def schedule_pause(arguments: argparse.Namespace) -> None:
    """Start no more runs until `resume`."""
    from tidegate.commands.cluster import schedules, service

    schedules.pause(service.connect(_connection(arguments)))
    print("paused")


def schedule_resume(arguments: argparse.Namespace) -> None:
    """Start runs again."""
    from tidegate.commands.cluster import schedules, service

    schedules.resume(service.connect(_connection(arguments)))
    print("enabled")


def schedule_delete(arguments: argparse.Namespace) -> None:
    """Take the recurring run away; the runs that it started stay."""
    from tidegate.commands.cluster import schedules, service

    schedules.delete(service.connect(_connection(arguments)))
    print("deleted")


def doctor(arguments: argparse.Namespace) -> None:
    """Check all that a run needs: its code, image, data, namespace and rights, Kubeflow, MLflow; exit 1 if not."""
    from tidegate.commands.cluster import checks, data, doctor

    if arguments.make_bucket:
        print(data.make_bucket(arguments.remote, checks.LONGEST), file=sys.stderr)
    found = doctor.examine(_connection(arguments), arguments.remote)
    print(json.dumps([check._asdict() for check in found], indent=2)) if arguments.json else doctor.show(found)
    sys.exit(any(check.state == checks.WRONG for check in found))


def _connection(arguments: argparse.Namespace) -> Connection:
    return connection(vars(arguments), os.environ)


Flags = Mapping[str, Mapping[str, Any]]
SET: Flags = {
    "--set": {
        "action": "append",
        "default": [],
        "metavar": "SECTION.KEY=VALUE",
        "help": "another value than params.yaml's, or model.NAME=VALUE than model.yaml's; may be repeated",
    },
}
REMOTE: Flags = {"--remote": {"metavar": "REMOTE", "help": "a DVC remote by name or address; else the default one"}}
UNCHECKED: Flags = {"--unchecked": {"action": "store_true", "help": "without the checks of `tidegate doctor`"}}

MAKE_BUCKET: Flags = {
    "--make-bucket": {"action": "store_true", "help": "first make the bucket of the DVC remote, if there is none"}
}


def _command(help: str, run: Callable[[argparse.Namespace], None], *flags: Flags) -> Command:
    """A subcommand that takes the flags of the connection after its own."""
    return Command(help, run, {name: options for group in (*flags, FLAGS) for name, options in group.items()})


COMMANDS = {
    "submit": _command(
        "run this commit's pipeline on the cluster",
        submit,
        {"--until": {"metavar": "DATE", "help": "the moment (UTC) that the batch ends; params.yaml stays as it is"}},
        SET,
        REMOTE,
        UNCHECKED,
        {"--wait": {"action": "store_true", "help": "follow the run to its end"}, "--json": JSON},
    ),
    "upload": _command("upload this commit's pipeline, and start nothing", upload),
    "runs": _command(
        "list the runs on the cluster",
        runs,
        {"--limit": {"type": int, "default": 20, "metavar": "N", "help": "at most so many (20)"}, "--json": JSON},
    ),
    "logs": _command(
        "show why a run on the cluster failed",
        logs,
        {
            "run_id": {"metavar": "RUN", "help": "its id, as `tidegate runs` lists it"},
            "step": {"metavar": "STEP", "nargs": "?", "help": "a step, for its whole log"},
            "--json": JSON,
        },
    ),
    "schedule apply": _command("make the recurring run as declared", schedule_apply, SET, REMOTE, UNCHECKED),
    "schedule show": _command("show the recurring run", schedule_show, {"--json": JSON}),
    "schedule pause": _command("start no more runs", schedule_pause),
    "schedule resume": _command("start runs again", schedule_resume),
    "schedule delete": _command("take the recurring run away", schedule_delete),
    "doctor": _command("check all that a run on the cluster needs", doctor, REMOTE, MAKE_BUCKET, {"--json": JSON}),
}
