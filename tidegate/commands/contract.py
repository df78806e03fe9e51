"""`tidegate contract`: drafts and compares contracts."""

import argparse
import json
from pathlib import Path

from tidegate.commands.command import JSON, Command, tell


def infer(arguments: argparse.Namespace) -> None:
    """Draft a contract from files, one table each, to be checked and corrected."""
    from tidegate.commands.draft import inspection

    text = inspection.infer(arguments.paths, "json" if arguments.json else "yaml")
    print(json.dumps(json.loads(text), indent=2) if arguments.json else text.rstrip("\n"))


def diff(arguments: argparse.Namespace) -> None:
    """Compare two contracts, two files, or a file with a contract (its violations)."""
    from tidegate.commands.draft import inspection

    tell(inspection.diff(arguments.old, arguments.new, arguments.table), arguments.json, inspection.show_diff)


COMMANDS = {
    "contract infer": Command(
        "draft a contract from data",
        infer,
        {"paths": {"type": Path, "nargs": "+", "metavar": "PATH", "help": "files, one table each"}, "--json": JSON},
    ),
    "contract diff": Command(
        "compare a contract or a batch with an earlier one",
        diff,
        {
            "old": {"type": Path, "metavar": "OLD", "help": "a contract or a data file"},
            "new": {"type": Path, "metavar": "NEW", "help": "a contract or a data file"},
            "--table": {"default": "", "metavar": "T", "help": "the table of a data file"},
            "--json": JSON,
        },
    ),
}
