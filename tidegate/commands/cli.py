"""`tidegate`: one table of commands; what a command needs is imported when it runs."""

import argparse
import json
import sys
import traceback
from pathlib import Path

from tidegate.commands import data, manifests, parsing, promotion, reviewing, step, upgrade
from tidegate.commands.cluster import commands as client
from tidegate.commands.command import INTERRUPTED, JSON, Command
from tidegate.documents.formats import discard
from tidegate.process.errors import InputError, told


def compile_(arguments: argparse.Namespace) -> None:
    """Write the training pipeline as Kubeflow reads it."""
    from tidegate.documents.formats import write_text
    from tidegate.pipelines import kubeflow

    write_text(arguments.output, kubeflow.compile(arguments.image))


def render(arguments: argparse.Namespace) -> None:
    """Write what is made from the pipeline, or with --check compare it with what is there."""
    from tidegate.pipelines import rendering

    (rendering.check if arguments.check else rendering.write)()


def run_(arguments: argparse.Namespace) -> None:
    """Bring the workspace up to date: `dvc repro` with the data fetched, the registry checked, and a summary."""
    from tidegate.commands.loop import summary, turn

    seconds, champion = turn.turn(arguments.until, arguments.anew, arguments.in_containers)
    found = summary.summary(seconds, champion)
    print(json.dumps(found, indent=2)) if arguments.json else summary.show(found)


def init(arguments: argparse.Namespace) -> None:
    """Make the folder of a new problem: drafted from one file of events, with its data, under git and DVC."""
    from tidegate.commands.draft import new_problem

    words = (arguments.label, arguments.time, arguments.key)
    found = new_problem.begin(arguments.dir, arguments.data, *words, arguments.cluster)
    print(json.dumps(found, indent=2)) if arguments.json else new_problem.show(arguments.dir, found)


def status(arguments: argparse.Namespace) -> None:
    """Show where things stand: champion, newest batch, what waits for a person, whether `run` has something to do."""
    from tidegate.commands.loop import status

    found = status.status()
    print(json.dumps(found, indent=2)) if arguments.json else status.show(found)


def code(arguments: argparse.Namespace) -> None:
    """Write a digest of each step's code to artifacts/code: DVC runs this, then every step whose digest changed."""
    if arguments.list:
        print("\n".join(f"{name}={digest}" for name, digest in step.digests().items()))
    else:
        step.write_digests()


def step_(arguments: argparse.Namespace) -> None:
    """Run one step, as DVC and Kubeflow do: see `tidegate step --help`."""
    step.main(arguments.words)


def greet(arguments: argparse.Namespace) -> None:
    """Say what this is, and without --version where one is and what to do next."""
    from tidegate.commands.loop import greeting

    print(greeting.version() if arguments.tell else greeting.greeting())


COMMANDS = {
    "run": Command(
        "run one turn of the loop on this machine",
        run_,
        {
            "--until": {"metavar": "DATE", "help": "move to this moment (UTC); writes ingest.until of params.yaml"},
            "--anew": {"action": "store_true", "help": "run every stage, whatever the registry remembers"},
            "--in-containers": {"action": "store_true", "help": "run the steps in the image that `make images` built"},
            "--json": JSON,
        },
    ),
    "init": Command(
        "make the folder of a new problem",
        init,
        {
            "dir": {"type": Path, "metavar": "DIR", "help": "the folder to make"},
            "--data": {"type": Path, "required": True, "metavar": "FILE", "help": "one row per event, CSV or Parquet"},
            "--label": {"required": True, "metavar": "COLUMN", "help": "what is predicted"},
            "--time": {"required": True, "metavar": "COLUMN", "help": "when the event is (UTC)"},
            "--key": {"default": "", "metavar": "COLUMN,...", "help": "what tells rows apart; guessed without it"},
            "--cluster": {"action": "store_true", "help": "write cluster.yaml, too, which a run on a cluster needs"},
            "--json": JSON,
        },
    ),
    "status": Command("show where things stand", status, {"--json": JSON}),
    "upgrade": upgrade.COMMAND,
    **data.COMMANDS,
    **promotion.COMMANDS,
    **reviewing.COMMANDS,
    "compile": Command(
        "write the training pipeline as Kubeflow reads it",
        compile_,
        {
            "--output": {"type": Path, "required": True, "metavar": "FILE", "help": "the YAML file to write"},
            "--image": {"metavar": "IMAGE", "help": "run this image; without it that of this code, of cluster.yaml"},
        },
    ),
    "render": Command(
        "write the stages of dvc.yaml and the pictures from the pipeline",
        render,
        {"--check": {"action": "store_true", "help": "write nothing, fail where they differ"}},
    ),
    "step": Command(
        "run one step, as DVC and Kubeflow do",
        step_,
        {"words": {"nargs": argparse.REMAINDER, "metavar": "NAME ...", "help": "the step and its flags"}},
    ),
    "code": Command(
        "write a digest of each step's code",
        code,
        {"--list": {"action": "store_true", "help": "print them, and write nothing"}},
    ),
    **client.COMMANDS,
    "manifests": manifests.COMMAND,
}


GROUPS = {"contract": "draft and compare contracts", "schedule": "run the pipeline on the cluster by the clock"}
SECTIONS = {
    "the loop": ("init", "run", "status", "batches", "upgrade"),
    "data": ("collect", "validate", "contract"),
    "review and promotion": (
        *("review", "judge", "waiting", "approve", "reject", "history", "rollback"),
        *("lineage", "card", "reproduce"),
    ),
    "a cluster": ("doctor", "submit", "runs", "logs", "schedule", "upload", "compile", "manifests"),
    "development": ("step", "code", "render"),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    return parsing.parser(COMMANDS, GROUPS, SECTIONS)


def main(argv: list[str] | None = None) -> None:
    """Run one command; exit 2 with a line per fault when the input is at fault, 130 on Ctrl-C."""
    words = sys.argv[1:] if argv is None else argv
    try:
        if words[:1] == ["step"]:  # a process of its own for every step: nothing else is read first
            step.main(words[1:])
            return
        parsing.check(words, COMMANDS)
        arguments = parser().parse_args(words)
        (greet if arguments.tell or not arguments.run else arguments.run)(arguments)
    except (InputError, OSError) as error:
        if "--debug" in words:
            traceback.print_exc()
        for line in told(error):
            print(f"error: {line}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        discard()
        if "--debug" in words:
            traceback.print_exc()
        print("\ninterrupted: nothing is half-written; run it again to go on", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
