"""`tidegate`, and `python -m tidegate`."""

from typing import NoReturn

from tidegate.commands.cli import main
from tidegate.process.redaction import redact_streams
from tidegate.process.termination import leave_after


def program() -> NoReturn:
    """Run one command as a process of its own."""
    redact_streams()
    leave_after(main)


if __name__ == "__main__":
    program()
