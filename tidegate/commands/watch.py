"""`tidegate watch`: runs the loop when there are new data."""

import argparse
import signal
import sys
import time
from types import FrameType

from tidegate.commands.command import Command
from tidegate.process.errors import InputError, messages


def watch(arguments: argparse.Namespace) -> None:
    """Collect from the sources again and again, and run the loop once for each new version of the data.

    A version may also come from somebody else, as a changed data.dvc. One process watches a folder at a time; a
    version that fails is told and left, until there is another one.
    """
    from tidegate.commands.loop import summary, watcher
    from tidegate.documents.durations import interval, seconds

    interval(arguments.every, "--every")
    failed: set[str] = set()
    with watcher.alone():
        if arguments.once:
            done = watcher.look(failed)
            return summary.show(done) if done else print("no new version of the data")
        signal.signal(signal.SIGTERM, _end)
        while True:
            try:
                if done := watcher.look(failed):
                    summary.show(done)
            except InputError as error:
                for line in messages(error):
                    print(f"error: {line}", file=sys.stderr, flush=True)
            time.sleep(seconds(arguments.every))


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


COMMAND = Command(
    "run the loop when there are new data",
    watch,
    {
        "--every": {"default": "5m", "metavar": "DURATION", "help": "between two looks, such as 1h; default: 5m"},
        "--once": {"action": "store_true", "help": "look once, as from cron"},
    },
)
