"""A clean checkout of a commit in a folder of its own, which leaves the person's own files alone."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import InputError


@contextmanager
def worktree(commit: str, folder: Path) -> Iterator[Path]:
    """The files of a commit in `folder`, as a git worktree; it is gone when the block ends."""
    if _git("cat-file", "-e", f"{commit}^{{commit}}").returncode:
        raise InputError(f"commit {commit}", "a commit of this repository", "none", "fetch it with `git fetch`")
    done = _git("worktree", "add", "--quiet", "--detach", str(folder), commit)
    if done.returncode:
        found = " ".join(done.stderr.split())
        raise InputError(f"a worktree of {commit}", "git to make one", found, "mend it and run this again")
    try:
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
