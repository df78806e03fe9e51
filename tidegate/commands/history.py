"""`tidegate history`: lists all champions and the reasons of their promotion."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, Command, tell


def history(arguments: argparse.Namespace) -> None:
    """List every champion, the oldest first: its predecessor, and when, by whom and why it was promoted."""
    from tidegate.commands.reviewing import champions

    rows = champions.history()
    if arguments.page:
        champions.write_page(arguments.page, rows)
    tell(rows, arguments.json, champions.show)


COMMAND = Command(
    "list every champion and why it was promoted",
    history,
    {
        "--page": {
            "type": Path,
            "nargs": "?",
            "const": Path("artifacts/history.html"),
            "metavar": "FILE",
            "help": "also write an HTML page with the loss over time; default: artifacts/history.html",
        },
        "--json": JSON,
    },
)
