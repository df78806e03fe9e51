"""Which version is champion; during a run a fork of its server asks, which has imported MLflow already."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tidegate.documents.formats import read_json, write_json
from tidegate.process import fork
from tidegate.process.command import Output, run
from tidegate.process.interpreter import python
from tidegate.process.termination import leave_after


def champion(name: str) -> str | None:
    """The version of this problem that serves, None when none does."""
    from tidegate.tracking import journal
    from tidegate.tracking.store import connect

    return journal.champion(connect(), name)


def champion_by_fork(name: str, environment: Mapping[str, str]) -> str | None:
    """The same, asked by a fork of the server in `environment`, if there is one; SystemExit if it failed."""
    if fork.FOLDER not in environment:
        return champion(name)
    variables = {**os.environ, fork.FOLDER: environment[fork.FOLDER]}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "champion.json")
        done = subprocess.run(
            python(fork.__name__, __name__, "--name", name, "--answer", str(answer)), env=variables, check=False
        )
        if done.returncode:
            sys.exit(done.returncode)
        version: str | None = read_json(answer)["champion"]
        return version


def ask(name: str, answer: Output) -> None:
    """Write the champion's version to a file."""
    write_json(answer, {"champion": champion(name)})


if __name__ == "__main__":
    leave_after(partial(run, ask))
