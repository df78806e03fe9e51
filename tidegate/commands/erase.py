"""`tidegate erase`: removes one event from the recordings, and lists who still holds it."""

import argparse
import json

from tidegate.commands.command import JSON, Command


def erase(arguments: argparse.Namespace) -> None:
    """Remove an event from what `tidegate serve` has recorded, and list the data versions and models that hold it.

    The event is named by its whole key: each column once. Registered versions are signed and never change: a version
    that learned from the event goes by a retraining on data without it, and old data by DVC. A server writes what it
    was asked every `serve.record_seconds`, so that what was asked just now is there only then.
    """
    from tidegate.commands.upkeep import erasure

    plan = erasure.erasure(arguments.key)
    if not arguments.dry_run:
        erasure.erase(plan)
    rows = sum(file.rows for file in plan.recorded)
    if arguments.json:
        files = [{"file": file.path, "rows": file.rows} for file in plan.recorded]
        holders = [{"what": holder.what, "why": holder.why} for holder in plan.holders]
        print(json.dumps({"erased": not arguments.dry_run, "recorded": files, "held_by": holders}, indent=2))
        return
    done = "would be removed (--dry-run)" if arguments.dry_run else "removed"
    print(f"recordings: {rows:,} rows of {len(plan.recorded):,} files {done}")
    for holder in plan.holders:
        print(f"held by {holder.what}: {holder.why}")


COMMAND = Command(
    "remove one event from the recordings, and list who still holds it",
    erase,
    {
        "--key": {
            "action": "append",
            "required": True,
            "metavar": "NAME=VALUE",
            "help": "a column of the event's key and its value; once for each column",
        },
        "--dry-run": {"action": "store_true", "help": "only list"},
        "--json": JSON,
    },
)
