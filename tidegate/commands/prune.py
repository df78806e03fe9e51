"""`tidegate prune`: removes what is old and needed by nobody."""

import argparse
import json
import sys

from tidegate.commands.command import JSON, Command


def prune(arguments: argparse.Namespace) -> None:
    """Remove what is older than a duration: pages, models and undecided runs in MLflow, recordings, DVC's objects.

    First print what it would remove. Every registered version stays, with all that belongs to it, and so do the
    journal, what was decided on every batch, a batch still being worked on, and every version of the data. After an
    interruption, run it again.
    """
    from tidegate.commands.upkeep import removal

    plans = removal.plans(arguments.keep)
    for plan in plans:
        print(plan.line, flush=True, file=sys.stderr if arguments.json else sys.stdout)
    removes = [plan.remove for plan in plans if plan.remove and not arguments.dry_run]
    for remove in removes:
        remove()
    if arguments.json:
        stores = [{"plan": plan.line, "removes": plan.remove is not None} for plan in plans]
        print(json.dumps({"removed": bool(removes), "stores": stores}, indent=2))
    elif arguments.dry_run:
        print("nothing is removed (--dry-run)")
    else:
        print("removed" if removes else "nothing to remove")


COMMAND = Command(
    "remove what is old and needed by nobody",
    prune,
    {
        "--keep": {"required": True, "metavar": "DURATION", "help": "keep what is younger, such as 90d or 26w"},
        "--dry-run": {"action": "store_true", "help": "only print what would be removed"},
        "--json": JSON,
    },
)
