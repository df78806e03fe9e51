"""Which commit a run is of, and what in the working tree is not in its image."""

import subprocess

from components.context import commit as described
from components.context import problem
from components.errors import InputError


def commit() -> str:
    """The commit that is checked out; InputError where there is none."""
    found = described().removesuffix("-dirty")
    if found == "unknown":
        raise InputError("commit", "a git repository with a commit", "none", "commit your work, then submit it")
    return found


def changed() -> list[str]:
    """The files beside the problem's own that differ from the commit, and thereby from its image."""
    command = ["git", "status", "--porcelain", "-z", "--no-renames"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return []  # no repository: the commit comes by environment
    return [entry[3:] for entry in found.split("\0") if entry and entry[3:] not in problem]
