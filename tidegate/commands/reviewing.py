"""The commands of a reviewer: look at what was decided, and say what was right."""

import argparse
import json

from tidegate.commands.command import JSON, Command
from tidegate.process.errors import InputError

ports = {"evidently": 8000, "mlflow": 5000}


def judge(arguments: argparse.Namespace) -> None:
    """Say that the decision on a batch was right or wrong, or that drift of a column is to be ignored for a time.

    The journal keeps it, and the next gate reads it. Without arguments, list what was said.
    """
    from tidegate.commands.review import feedback

    words = (arguments.batch, arguments.word, arguments.ignore, arguments.until, arguments.reason)
    if any(word is not None for word in words):
        if arguments.json:
            raise InputError("--json", "no judgement beside it", "one", "it is for the list")
        print(feedback.judge(*words))
        return
    found = feedback.listed()
    print(json.dumps(found, indent=2)) if arguments.json else feedback.show(found)


def review(arguments: argparse.Namespace) -> None:
    """Write a page of all batches, the newest first, with the gate's report and Evidently's of each, and open it."""
    from tidegate.commands.review import page, serving

    kind = "evidently" if arguments.evidently else "mlflow" if arguments.mlflow else None
    if kind:
        getattr(page, kind)(ports[kind] if arguments.port is None else arguments.port, not arguments.no_open)
        return
    found = page.rows()
    path = page.write(found)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(path)
    serving.open_(path.resolve().as_uri(), not arguments.no_open)


COMMANDS = {
    "review": Command(
        "look at every batch that was decided",
        review,
        {
            "--evidently": {"action": "store_true", "help": "run Evidently's UI on all batches: drift over time"},
            "--mlflow": {"action": "store_true", "help": "run MLflow's UI on the tracking store"},
            "--port": {
                "type": int,
                "metavar": "N",
                "help": "the port of that UI; 8000 for Evidently, 5000 for MLflow",
            },
            "--no-open": {"action": "store_true", "help": "open no browser"},
            "--json": JSON,
        },
    ),
    "judge": Command(
        "say whether the gate decided right",
        judge,
        {
            "batch": {"nargs": "?", "metavar": "BATCH", "help": "its id, the beginning of it, or its date"},
            "word": {"nargs": "?", "choices": ("right", "wrong"), "help": "what the decision on it was"},
            "--ignore": {"metavar": "COLUMN", "help": "drift of this feature opens no gate for a time"},
            "--until": {"metavar": "DATE", "help": "the last day of that time"},
            "--reason": {"metavar": "TEXT", "help": "why, for the journal"},
            "--json": JSON,
        },
    ),
}
