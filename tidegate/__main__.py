"""`tidegate`, and `python -m tidegate`."""

import atexit
from typing import NoReturn

from tidegate.commands.cli import main
from tidegate.process.termination import leave


def program() -> NoReturn:
    """Run one command as a process of its own."""
    code = 0
    try:
        main()
    except SystemExit as ending:
        if isinstance(ending.code, str):  # a sentence, which the interpreter prints
            raise
        code = int(ending.code or 0)
    atexit._run_exitfuncs()  # libraries remove temporary files and end their workers there
    leave(code)


if __name__ == "__main__":
    program()
