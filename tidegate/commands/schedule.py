"""`tidegate schedule`: the recurring run of a pipeline that cluster.yaml declares."""

import argparse

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import JSON, PIPELINE, REMOTE, SET, UNCHECKED, Command, tell


def apply(arguments: argparse.Namespace) -> None:
    """Create or update the recurring run as declared in cluster.yaml; idempotent."""
    from tidegate.commands.cluster import jobs, schedules, service

    job = jobs.work(arguments.pipeline, None, arguments.set, arguments.remote)
    kubeflow = service.connect(connection_of(arguments))
    print(schedules.apply(kubeflow, job, arguments.unchecked))
    schedules.show(schedules.listed(kubeflow, arguments.pipeline))


def show(arguments: argparse.Namespace) -> None:
    """Show the recurring run."""
    from tidegate.commands.cluster import schedules, service

    rows = schedules.listed(service.connect(connection_of(arguments)), arguments.pipeline)
    tell(rows, arguments.json, schedules.show)


def pause(arguments: argparse.Namespace) -> None:
    """Pause the recurring run until `resume`."""
    from tidegate.commands.cluster import schedules, service

    schedules.pause(service.connect(connection_of(arguments)), arguments.pipeline)
    print("paused")


def resume(arguments: argparse.Namespace) -> None:
    """Resume the recurring run."""
    from tidegate.commands.cluster import schedules, service

    schedules.resume(service.connect(connection_of(arguments)), arguments.pipeline)
    print("enabled")


def delete(arguments: argparse.Namespace) -> None:
    """Delete the recurring run; the runs that it started stay."""
    from tidegate.commands.cluster import schedules, service

    schedules.delete(service.connect(connection_of(arguments)), arguments.pipeline)
    print("deleted")


WHICH = {"--pipeline": PIPELINE, **FLAGS}
COMMANDS = {
    "schedule apply": Command(
        "create or update the recurring run",
        apply,
        {"--set": SET, "--remote": REMOTE, "--unchecked": UNCHECKED, **WHICH},
    ),
    "schedule show": Command("show the recurring run", show, {"--json": JSON, **WHICH}),
    "schedule pause": Command("pause the recurring run", pause, WHICH),
    "schedule resume": Command("resume the recurring run", resume, WHICH),
    "schedule delete": Command("delete the recurring run", delete, WHICH),
}
