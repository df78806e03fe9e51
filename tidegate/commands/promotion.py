"""The commands about versions: who serves and why, a person's word on that, and where a version comes from."""

import argparse
import json
from pathlib import Path

from tidegate.commands.command import JSON, Command
from tidegate.process.errors import InputError


def history(arguments: argparse.Namespace) -> None:
    """List every champion, the first one first: instead of which, since when, by whom and why."""
    from tidegate.commands.review import champions

    found = champions.history()
    if arguments.page:
        champions.write_page(arguments.page, found)
    print(json.dumps(found, indent=2)) if arguments.json else champions.show(found)


def rollback(arguments: argparse.Namespace) -> None:
    """Make an earlier champion serve again; the loop does not promote the one it replaces again."""
    from tidegate.commands.review import champions

    print(f"version {champions.rollback(arguments.to, arguments.reason)} is champion")


def approve(arguments: argparse.Namespace) -> None:
    """Make an accepted version champion that waits for a person; its verdict must still hold."""
    from tidegate.commands.review import approvals

    approvals.approve(arguments.version, arguments.reason)
    print(f"version {arguments.version} is champion")


def reject(arguments: argparse.Namespace) -> None:
    """Write down why a version is not to serve; the loop does not promote it any more."""
    from tidegate.commands.review import approvals

    approvals.reject(arguments.version, arguments.reason)
    print(f"version {arguments.version} is rejected")


def waiting(arguments: argparse.Namespace) -> None:
    """List the accepted versions that wait for a person (deploy.approval is manual)."""
    from tidegate.commands.review import approvals

    found = approvals.waiting()
    print(json.dumps(found, indent=2)) if arguments.json else approvals.show(found)


def reproduce(arguments: argparse.Namespace) -> None:
    """Train a version once more from its registry record alone, by the Tidegate that made it; exit 2 if it differs."""
    from tidegate.commands.provenance import reproduction

    found = reproduction.reproduce(arguments.version, arguments.python, arguments.wheelhouse)
    print(json.dumps(found, indent=2)) if arguments.json else reproduction.show(found)
    if not found["same"]:
        recorded, again = (found["digest"][key] for key in ("recorded", "again"))
        raise InputError(f"version {arguments.version}", recorded, again, "see what differs above")


def lineage(arguments: argparse.Namespace) -> None:
    """Show what made a version, down to the digest of every source file, and what it led to."""
    from tidegate.commands.provenance import origin

    found = origin.lineage(arguments.version)
    if arguments.picture:
        origin.draw(found, arguments.picture)
    print(json.dumps(found, indent=2) if arguments.json else origin.text(found))


def card(arguments: argparse.Namespace) -> None:
    """Print the model card of a version as Markdown: data, purpose, metrics, slices, limits, lineage."""
    from tidegate.commands.provenance import origin

    print(origin.card(arguments.version, arguments.page), end="")


VERSION = {"version": {"metavar": "VERSION", "help": "a registered version, such as 2"}}
REASON = {"--reason": {"required": True, "metavar": "TEXT", "help": "why, for the journal"}}

COMMANDS = {
    "history": Command(
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
    ),
    "rollback": Command(
        "make an earlier champion serve again",
        rollback,
        {
            "--to": {"metavar": "VERSION", "help": "the version; without it the latest that nobody refused"},
            **REASON,
        },
    ),
    "waiting": Command("list the versions that wait for a person", waiting, {"--json": JSON}),
    "approve": Command("make a version champion that waits for a person", approve, {**VERSION, **REASON}),
    "reject": Command("say why a version is not to serve", reject, {**VERSION, **REASON}),
    "lineage": Command(
        "show what made a version and what it led to",
        lineage,
        {
            **VERSION,
            "--picture": {"type": Path, "metavar": "FILE", "help": "write it as a picture (SVG) too"},
            "--json": JSON,
        },
    ),
    "card": Command(
        "print the model card of a version",
        card,
        {**VERSION, "--page": {"type": Path, "metavar": "FILE", "help": "write it as a page (HTML) too"}},
    ),
    "reproduce": Command(
        "train a version once more and compare",
        reproduce,
        {
            **VERSION,
            "--python": {
                "type": Path,
                "metavar": "FILE",
                "help": "an interpreter to train by; without it that of the Tidegate that made the version",
            },
            "--wheelhouse": {
                "type": Path,
                "metavar": "DIR",
                "help": "a folder of wheels to install the lock of that Tidegate from",
            },
            "--json": JSON,
        },
    ),
}
