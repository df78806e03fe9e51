"""`tidegate feedback`: records a person's feedback on decisions of the gate."""

import argparse

from tidegate.commands.command import JSON, Command, tell
from tidegate.process.errors import InputError


def feedback(arguments: argparse.Namespace) -> None:
    """Record that the decision on a batch was right or wrong, or that drift of a column is to be ignored for a time.

    The feedback is stored in the journal, and the next gate reads it. Without arguments, list all feedback.
    """
    from tidegate.commands.reviewing import feedback as reviewing

    words = (arguments.batch, arguments.word, arguments.ignore, arguments.until, arguments.reason)
    if any(word is not None for word in words):
        if arguments.json:
            raise InputError("--json", "no other argument", "one", "use it only to list the feedback")
        print(reviewing.record(*words))
        return
    tell(reviewing.listed(), arguments.json, reviewing.show)


COMMAND = Command(
    "record whether a decision of the gate was right",
    feedback,
    {
        "batch": {"nargs": "?", "metavar": "BATCH", "help": "the id of the batch, a prefix of it, or its date"},
        "word": {"nargs": "?", "choices": ("right", "wrong"), "help": "whether the decision was right"},
        "--ignore": {"metavar": "COLUMN", "help": "ignore drift of this feature for a time"},
        "--until": {"metavar": "DATE", "help": "the last day to ignore it"},
        "--reason": {"metavar": "TEXT", "help": "why, for the journal"},
        "--json": JSON,
    },
)
