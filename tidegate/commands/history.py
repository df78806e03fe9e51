"""`tidegate history`: every champion and why it serves."""

import argparse
from pathlib import Path

from tidegate.commands.command import JSON, Command, tell


def history(arguments: argparse.Namespace) -> None:
    """List every champion, the first one first: instead of which, since when, by whom and why."""
    from tidegate.commands.reviewing import champions

    found = champions.history()
    if arguments.page:
        champions.write_page(arguments.page, found)
    tell(found, arguments.json, champions.show)


COMMAND = Command(
    "list every champion and why it serves",
    history,
    {
        "--page": {
            "type": Path,
            "nargs": "?",
            "const": Path("artifacts/history.html"),
            "metavar": "FILE",
            "help": "write it as a page (HTML) with the loss over time too; artifacts/history.html without FILE",
        },
        "--json": JSON,
    },
)
