"""The commit of a run."""

from tidegate.process.context import commit as described
from tidegate.process.errors import InputError


def commit() -> str:
    """The commit that is checked out; InputError where there is none."""
    head = described().removesuffix("-dirty")
    if head == "unknown":
        raise InputError("commit", "a git repository with a commit", "none", "commit your work, then submit it")
    return head
