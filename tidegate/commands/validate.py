"""`tidegate validate`: checks one file against the contract."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, Command, tell
from tidegate.process.errors import SchemaSkewError


def validate(arguments: argparse.Namespace) -> None:
    """Check one file against the contract before it is committed; exit 2 with every violation."""
    from tidegate.commands.draft import inspection

    findings, errors = inspection.check(arguments.file, arguments.table, arguments.until)
    tell(findings, arguments.json, inspection.show_check)
    if errors:
        raise SchemaSkewError(errors[:-1], errors[-1])


COMMAND = Command(
    "check one file against the contract",
    validate,
    {
        "file": {"type": Path, "metavar": "FILE", "help": "a CSV or Parquet file, plain, gzip or zstd"},
        "--table": {"required": True, "metavar": "T", "help": "the table of contract.yaml that the file belongs to"},
        "--until": {
            "default": "",
            "metavar": "DATE",
            "help": "ignore later rows, and check freshness at this moment",
        },
        "--json": JSON,
    },
)
