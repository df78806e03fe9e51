"""What `tidegate` says without a command: what it is, where one is, and what to do next."""

import os
from pathlib import Path

import tidegate
from tidegate.commands.loop.workspace import CONTRACT
from tidegate.documents.formats import read_yaml
from tidegate.process import wheel
from tidegate.process.context import commit
from tidegate.process.errors import InputError

ROOT = Path(tidegate.__file__).parents[1]
HERE = """\
Here is the problem {}.

  tidegate status    where things stand
  tidegate run       one turn of the loop on this machine
  tidegate --help    every command
"""
NOWHERE = """\
Here is no problem of yours: there is no contract.yaml in {}.

  tidegate init DIR --data FILE --label COLUMN --time COLUMN    make one from a file of events
  tidegate run       one turn of the loop, in the folder of a problem
  tidegate status    where things stand, in the folder of a problem
  tidegate --help    every command
"""


def greeting() -> str:
    """A few lines for somebody who has just come, or come back."""
    text = HERE.format(_name()) if CONTRACT.is_file() else NOWHERE.format(Path.cwd())
    return f"tidegate {_number()}: continuous training for tabular models, gated by drift\n\n{text.rstrip()}"


def version() -> str:
    """The version, and the commit of the code where it is known."""
    # Above an installed package there may be a repository of something else.
    has_commit = (ROOT / ".git").exists() or "TIDEGATE_COMMIT" in os.environ
    return f"tidegate {_number()}" + (f" (commit {commit(ROOT)})" if has_commit else "")


def _number() -> str:
    try:
        return wheel.version()
    except StopIteration:  # run from its files
        return "(not installed)"


def _name() -> str:
    try:
        contract = read_yaml(CONTRACT)
    except InputError as error:
        return f"of contract.yaml, which cannot be read ({error})"
    return str(contract.get("name", "without a name") if isinstance(contract, dict) else "without a name")
