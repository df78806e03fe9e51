"""`tidegate`, and `python -m tidegate`."""

from typing import NoReturn

from tidegate.commands.cli import main
from tidegate.process.termination import leave_after


def program() -> NoReturn:
    """Run one command as a process of its own."""
    leave_after(main)


if __name__ == "__main__":
    program()
