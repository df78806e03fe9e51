"""The commands about data: bring it, promise what it is, check what came."""

import argparse
import json
from pathlib import Path

from tidegate.commands.command import JSON, Command
from tidegate.process.errors import SchemaSkewError


def collect(arguments: argparse.Namespace) -> None:
    """Add the rows that the sources of contract.yaml have to data/, as a new version of data.dvc."""
    from tidegate.commands.loop import collection

    if collection.collect(arguments.until):
        print("data.dvc names the new version: commit it, or go on with `tidegate run`")


def validate(arguments: argparse.Namespace) -> None:
    """Check one file against the contract before anybody commits it; exit 2 with every violation."""
    from tidegate.commands.draft import inspection

    found, errors = inspection.check(arguments.file, arguments.table, arguments.until)
    print(json.dumps(found, indent=2)) if arguments.json else inspection.show_check(found)
    if errors:
        raise SchemaSkewError(errors[:-1], errors[-1])


def contract_infer(arguments: argparse.Namespace) -> None:
    """Draft a contract from files, one table each, for a person to correct."""
    from tidegate.commands.draft import inspection

    text = inspection.infer(arguments.paths, "json" if arguments.json else "yaml")
    print(json.dumps(json.loads(text), indent=2) if arguments.json else text.rstrip("\n"))


def contract_diff(arguments: argparse.Namespace) -> None:
    """Compare two contracts; a file with a contract (what breaks it); or a file with an earlier one."""
    from tidegate.commands.draft import inspection

    found = inspection.diff(arguments.old, arguments.new, arguments.table)
    print(json.dumps(found, indent=2)) if arguments.json else inspection.show_diff(found)


COMMANDS = {
    "collect": Command(
        "add what the sources have to the data",
        collect,
        {"--until": {"metavar": "DATE", "help": "leave out what is later than this moment (UTC); without it, now"}},
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
}
