"""`tidegate` as a fork of the server of the steps: the tests start it hundreds of times, and most of that are imports.

As a program: `ask PYTHON WORDS` is `tidegate` in a fork, which starts its programs by PYTHON; `run PYTHON WORDS` is
what that does.
"""

import sys
from pathlib import Path
from shlex import join
from typing import NoReturn

from tidegate.process.fork import leave_by_fork


def command(python: Path, *words: str) -> list[str]:
    """`tidegate` with these words, in a fork that starts its programs by this interpreter."""
    return [sys.executable, __file__, "ask", str(python), *words]


def launch(folder: Path) -> None:
    """Lay `tidegate` beside the `python` of a folder for PATH; what is quick or a fork anyway is started as it is."""
    own, ask = join([str(Path(sys.executable).with_name("tidegate"))]), join(command(folder / "python"))
    launcher = folder / "tidegate"
    launcher.write_text(f'#!/bin/sh\ncase "$1" in step|code) exec {own} "$@" ;; *) exec {ask} "$@" ;; esac\n')
    launcher.chmod(0o755)


def run(python: str, words: list[str]) -> NoReturn:
    """Be `tidegate`."""
    from tidegate.__main__ import program

    sys.executable, sys.argv[1:] = python, words
    program()


if __name__ == "__main__":
    mode, python, *rest = sys.argv[1:]
    if mode == "ask" and rest[:1] != ["step"]:
        leave_by_fork(Path(__file__).stem, ["run", python, *rest])
    run(python, rest)
