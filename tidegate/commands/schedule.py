"""`tidegate schedule`: the recurring run that cluster.yaml declares."""

import argparse

from tidegate.commands.cluster.connection import FLAGS, connection_of
from tidegate.commands.command import JSON, REMOTE, SET, UNCHECKED, Command, tell


def apply(arguments: argparse.Namespace) -> None:
    """Make the recurring run what cluster.yaml declares; again, it changes nothing."""
    from tidegate.commands.cluster import schedules, service, submission

    job = submission.work(None, arguments.set, arguments.remote)
    there = service.connect(connection_of(arguments))
    print(schedules.apply(there, job, arguments.unchecked))
    schedules.show(schedules.listed(there))


def show(arguments: argparse.Namespace) -> None:
    """Show the recurring run."""
    from tidegate.commands.cluster import schedules, service

    tell(schedules.listed(service.connect(connection_of(arguments))), arguments.json, schedules.show)


def pause(arguments: argparse.Namespace) -> None:
    """Start no more runs until `resume`."""
    from tidegate.commands.cluster import schedules, service

    schedules.pause(service.connect(connection_of(arguments)))
    print("paused")


def resume(arguments: argparse.Namespace) -> None:
    """Start runs again."""
    from tidegate.commands.cluster import schedules, service

    schedules.resume(service.connect(connection_of(arguments)))
    print("enabled")


def delete(arguments: argparse.Namespace) -> None:
    """Take the recurring run away; the runs that it started stay."""
    from tidegate.commands.cluster import schedules, service

    schedules.delete(service.connect(connection_of(arguments)))
    print("deleted")


COMMANDS = {
    "schedule apply": Command(
        "make the recurring run as declared",
        apply,
        {"--set": SET, "--remote": REMOTE, "--unchecked": UNCHECKED, **FLAGS},
    ),
    "schedule show": Command("show the recurring run", show, {"--json": JSON, **FLAGS}),
    "schedule pause": Command("start no more runs", pause, FLAGS),
    "schedule resume": Command("start runs again", resume, FLAGS),
    "schedule delete": Command("take the recurring run away", delete, FLAGS),
}
