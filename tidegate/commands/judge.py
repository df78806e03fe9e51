"""`tidegate judge`: a person's word on what the gate decided."""

import argparse

from tidegate.commands.command import JSON, Command, tell
from tidegate.process.errors import InputError


def judge(arguments: argparse.Namespace) -> None:
    """Say that the decision on a batch was right or wrong, or that drift of a column is to be ignored for a time.

    The journal keeps it, and the next gate reads it. Without arguments, list what was said.
    """
    from tidegate.commands.reviewing import feedback

    words = (arguments.batch, arguments.word, arguments.ignore, arguments.until, arguments.reason)
    if any(word is not None for word in words):
        if arguments.json:
            raise InputError("--json", "no judgement beside it", "one", "it is for the list")
        print(feedback.judge(*words))
        return
    tell(feedback.listed(), arguments.json, feedback.show)


COMMAND = Command(
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
)
