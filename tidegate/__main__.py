"""`tidegate`, and `python -m tidegate`."""

import sys
from typing import NoReturn

from tidegate.process.fork import ALL, TABLE_STEPS, TABLES, leave_by_fork
from tidegate.process.termination import leave_after


def program() -> NoReturn:
    """Run one command as a process of its own; a step by a fork, if a server for that runs."""
    words = sys.argv[1:]
    if words[:1] == ["step"]:
        leave_by_fork("tidegate", words, TABLES if words[1:2] and words[1] in TABLE_STEPS else ALL)
    from tidegate.commands.cli import main
    from tidegate.process.redaction import redact_streams

    redact_streams()
    leave_after(main)


if __name__ == "__main__":
    program()
