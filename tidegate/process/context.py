"""The context of a run, from the environment: user, commit, DVC experiment, Kubeflow run."""

import getpass
import os
import subprocess
from pathlib import Path

from tidegate.process import limits

# Ignored by `-dirty`: a registered version contains the text of these files, and runs change some of them.
PROBLEM_FILES = (
    *("contract.yaml", "data.dvc", "features.sql", "model.yaml", "params.yaml", "dvc.yaml", "dvc.lock", ".dvc/config"),
    "cluster.yaml",
)


def commit(folder: Path = Path()) -> str:
    """The commit: TIDEGATE_COMMIT (set in an image), else the folder's, with `-dirty` if tracked files differ."""
    here = ("-C", str(folder))
    image_commit, head = os.environ.get("TIDEGATE_COMMIT"), _git(*here, "rev-parse", "--verify", "--quiet", "HEAD")
    if image_commit or not head:
        return image_commit or "unknown"
    others = (f":(exclude){name}" for name in PROBLEM_FILES)
    return head + "-dirty" * bool(_git(*here, "status", "--porcelain", "--untracked-files=no", "--", ".", *others))


def user() -> str:
    """The user for the journal: TIDEGATE_USER, else the Kubeflow run, else git's user, else the account."""
    run = kubeflow_run()
    name = os.environ.get("TIDEGATE_USER") or (f"Kubeflow run {run}" if run else "")
    try:
        return name or _git("config", "user.name") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def committed(path: Path) -> str:
    """The text of a file in the last commit; empty where there is none."""
    text = _git("show", f"HEAD:./{path.as_posix()}")
    return f"{text}\n" if text else ""


def experiment() -> str | None:
    """The name of the DVC experiment; None outside of an experiment."""
    return os.environ.get("DVC_EXP_NAME") or None


def kubeflow_run() -> str | None:
    """The id of the Kubeflow run that this process belongs to, from the labels of its pod; None elsewhere."""
    return os.environ.get("TIDEGATE_KUBEFLOW_RUN") or None


def in_run() -> bool:
    """Whether this process is a step of a run, of DVC or of Kubeflow."""
    return "DVC_STAGE" in os.environ or kubeflow_run() is not None


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, timeout=limits.GIT_SECONDS
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
