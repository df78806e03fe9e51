"""`tidegate`: one table of commands; what a command needs is imported when it runs."""

import argparse
import json
import sys
import traceback
from pathlib import Path

from components.errors import InputError, SchemaSkewError, told
from pipelines import promotion, reviewing
from pipelines.client import commands as client
from pipelines.command import JSON, Command


def compile_(arguments: argparse.Namespace) -> None:
    """Write the training pipeline as Kubeflow reads it."""
    from components.formats import write_text
    from pipelines import kubeflow

    write_text(arguments.output, kubeflow.compile(arguments.image))


def render(arguments: argparse.Namespace) -> None:
    """Write what is made from the pipeline, or with --check compare it with what is there."""
    from pipelines import rendering

    (rendering.check if arguments.check else rendering.write)()


def collect(arguments: argparse.Namespace) -> None:
    """Add the rows that the sources of contract.yaml have to data/, as a new version of data.dvc."""
    from pipelines import collecting

    if collecting.collect(arguments.until):
        print("data.dvc names the new version: commit it, or go on with `tidegate run`")


def run_(arguments: argparse.Namespace) -> None:
    """Bring the workspace up to date: `dvc repro` with the data fetched, the registry checked, and a summary."""
    from pipelines import run, summary

    seconds, champion = run.turn(arguments.until, arguments.anew, arguments.in_containers)
    found = summary.summary(seconds, champion)
    print(json.dumps(found, indent=2)) if arguments.json else summary.show(found)


def init(arguments: argparse.Namespace) -> None:
    """Make a new repository for a problem of your own: drafted from one file of events, with its data."""
    from pipelines import beginning

    found = beginning.begin(arguments.dir, arguments.data, arguments.label, arguments.time, arguments.key)
    print(json.dumps(found, indent=2)) if arguments.json else beginning.show(arguments.dir, found)


def batches(arguments: argparse.Namespace) -> None:
    """List every batch that was decided, the oldest first: the gate's decision, the verdict, the champion after it."""
    from pipelines import batches

    found = batches.decided()
    print(json.dumps(found, indent=2)) if arguments.json else batches.show(found)


def validate(arguments: argparse.Namespace) -> None:
    """Check one file against the contract before anybody commits it; exit 2 with every violation."""
    from pipelines import inspecting

    found, errors = inspecting.check(arguments.file, arguments.table, arguments.until)
    print(json.dumps(found, indent=2)) if arguments.json else inspecting.show_check(found)
    if errors:
        raise SchemaSkewError(errors[:-1], errors[-1])


def contract_infer(arguments: argparse.Namespace) -> None:
    """Draft a contract from files, one table each, for a person to correct."""
    from pipelines import inspecting

    text = inspecting.infer(arguments.paths, "json" if arguments.json else "yaml")
    print(json.dumps(json.loads(text), indent=2) if arguments.json else text.rstrip("\n"))


def contract_diff(arguments: argparse.Namespace) -> None:
    """Compare two contracts; a file with a contract (what breaks it); or a file with an earlier one."""
    from pipelines import inspecting

    found = inspecting.diff(arguments.old, arguments.new, arguments.table)
    print(json.dumps(found, indent=2)) if arguments.json else inspecting.show_diff(found)


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
    "collect": Command(
        "add what the sources have to the data",
        collect,
        {"--until": {"metavar": "DATE", "help": "leave out what is later than this moment (UTC); without it, now"}},
    ),
    "init": Command(
        "make a new repository for a problem of your own",
        init,
        {
            "dir": {"type": Path, "metavar": "DIR", "help": "the folder to make"},
            "--data": {"type": Path, "required": True, "metavar": "FILE", "help": "one row per event, CSV or Parquet"},
            "--label": {"required": True, "metavar": "COLUMN", "help": "what is predicted"},
            "--time": {"required": True, "metavar": "COLUMN", "help": "when the event is (UTC)"},
            "--key": {"default": "", "metavar": "COLUMN,...", "help": "what tells rows apart; guessed without it"},
            "--json": JSON,
        },
    ),
    **promotion.COMMANDS,
    **reviewing.COMMANDS,
    "batches": Command("list every batch that was decided", batches, {"--json": JSON}),
    "compile": Command(
        "write the training pipeline as Kubeflow reads it",
        compile_,
        {
            "--output": {"type": Path, "required": True, "metavar": "FILE", "help": "the YAML file to write"},
            "--image": {"metavar": "IMAGE", "help": "run this image; without it that of this code, of cluster.yaml"},
        },
    ),
    "validate": Command(
        "check one file against the contract",
        validate,
        {
            "file": {"type": Path, "metavar": "FILE", "help": "a CSV or Parquet file, plain, gzip or zstd"},
            "--table": {"required": True, "metavar": "T", "help": "the table of contract.yaml that it is for"},
            "--until": {
                "default": "",
                "metavar": "DATE",
                "help": "leave out later rows, and check freshness at this moment",
            },
            "--json": JSON,
        },
    ),
    "contract infer": Command(
        "draft a contract from data",
        contract_infer,
        {"paths": {"type": Path, "nargs": "+", "metavar": "PATH", "help": "files, one table each"}, "--json": JSON},
    ),
    "contract diff": Command(
        "compare a contract or a batch with an earlier one",
        contract_diff,
        {
            "old": {"type": Path, "metavar": "OLD", "help": "a contract or a data file"},
            "new": {"type": Path, "metavar": "NEW", "help": "a contract or a data file"},
            "--table": {"default": "", "metavar": "T", "help": "the table that a data file is of"},
            "--json": JSON,
        },
    ),
    "render": Command(
        "write the stages of dvc.yaml and the pictures from the pipeline",
        render,
        {"--check": {"action": "store_true", "help": "write nothing, fail where they differ"}},
    ),
    **client.COMMANDS,
}


GROUPS = {"contract": "draft and compare contracts", "schedule": "run the pipeline on the cluster by the clock"}


def parser() -> argparse.ArgumentParser:
    """The command line, with `--debug` before or after the command."""
    debug = argparse.ArgumentParser(add_help=False)
    debug.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show where an error comes from"
    )
    result = argparse.ArgumentParser(
        prog="tidegate", description="Continuous training, gated by drift.", parents=[debug], allow_abbrev=False
    )
    subparsers = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    groups = {"": subparsers}
    for name, command in COMMANDS.items():
        group, _, verb = name.rpartition(" ")
        if group not in groups:
            parent = subparsers.add_parser(group, help=GROUPS[group], allow_abbrev=False)
            groups[group] = parent.add_subparsers(dest="verb", required=True, metavar="COMMAND")
        subparser = groups[group].add_parser(
            verb, help=command.help, description=command.run.__doc__, parents=[debug], allow_abbrev=False
        )
        for flag, options in command.flags.items():
            subparser.add_argument(flag, **options)
        subparser.set_defaults(run=command.run)
    return result


def main(argv: list[str] | None = None) -> None:
    """Run one command; exit 2 with a line per fault when the input is at fault."""
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (InputError, OSError) as error:
        if "debug" in arguments:
            traceback.print_exc()
        for line in told(error):
            print(f"error: {line}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
