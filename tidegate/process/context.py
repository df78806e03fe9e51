"""What comes by environment and never by flag: who runs this, which commit it is, and whether it is an experiment."""

import getpass
import os
import subprocess
from pathlib import Path

from tidegate.process import limits

# A version holds the text of these itself, and each run changes some of them.
PROBLEM_FILES = (
    *("contract.yaml", "data.dvc", "features.sql", "model.yaml", "params.yaml", "dvc.yaml", "dvc.lock", ".dvc/config"),
    "cluster.yaml",
)


def commit(folder: Path = Path()) -> str:
    """The commit: TIDEGATE_COMMIT (an image sets it), else git's of the folder, with `-dirty` when files differ."""
    here = ("-C", str(folder))
    given, found = os.environ.get("TIDEGATE_COMMIT"), _git(*here, "rev-parse", "--verify", "--quiet", "HEAD")
    if given or not found:
        return given or "unknown"
    others = (f":(exclude){name}" for name in PROBLEM_FILES)
    return found + "-dirty" * bool(_git(*here, "status", "--porcelain", "--untracked-files=no", "--", ".", *others))


def user() -> str:
    """Who promotes: TIDEGATE_USER, else the run on Kubeflow, else git's user, else the account."""
    run = kubeflow_run()
    given = os.environ.get("TIDEGATE_USER") or (f"Kubeflow run {run}" if run else "")
    try:
        return given or _git("config", "user.name") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def experiment() -> str | None:
    """The name of the experiment, if this is one; DVC says so."""
    return os.environ.get("DVC_EXP_NAME") or None


def kubeflow_run() -> str | None:
    """The id of the run on Kubeflow that this is a task of, if it is one; the pod's labels say so."""
    return os.environ.get("TIDEGATE_KUBEFLOW_RUN") or None


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, timeout=limits.GIT_SECONDS
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
