"""`tidegate monitor`: judges what the champion was asked, and runs the loop when the gate opens."""

import argparse
import json

from tidegate.commands.command import JSON, Command


def monitor(arguments: argparse.Namespace) -> None:
    """Judge the requests that `tidegate serve` recorded in a window by the gate's own logic; run the loop if it opens.

    A window is judged once: whoever asks again within the hour gets the same answer. With too little traffic, or
    without labels, the gate cannot tell. Labels, and features to compare with, come from the clean tables.
    """
    from tidegate.commands.loop import requests, summary

    decision = requests.judge(
        arguments.window or "", arguments.until or "", arguments.recordings or "", arguments.tables or ""
    )
    run = requests.begin(decision) if decision.retrain and not arguments.no_run else None
    if arguments.json:
        print(json.dumps({"decision": decision.document(), "page": str(requests.PAGE), "run": run}, indent=2))
        return
    print(f"{decision.decision}: {'; '.join(decision.reasons)}\nopen {requests.PAGE}")
    if run:
        summary.show(run)


COMMAND = Command(
    "judge what the champion was asked, and run the loop when the gate opens",
    monitor,
    {
        "--window": {"metavar": "DURATION", "help": "whole hours, such as 24h; default: a day, or seven blocks"},
        "--until": {"metavar": "MOMENT", "help": "the end of the window (UTC); default: the last whole hour"},
        "--recordings": {"metavar": "PLACE", "help": "a folder or an S3 prefix; default: serve.record"},
        "--tables": {"metavar": "PLACE", "help": "a folder or an S3 prefix of clean tables; default: serve.tables"},
        "--no-run": {"action": "store_true", "help": "start nothing"},
        "--json": JSON,
    },
)
