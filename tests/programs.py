"""git and DVC, as a test runs them in its working directory."""

import os
import subprocess
from pathlib import Path

from tests.workspaces import clean_environment, fork_servers, program

AUTHOR = {f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(*words: str, folder: Path | None = None) -> str:
    """Run git; returns what it says."""
    environment = {**clean_environment, **AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull}
    found = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def dvc(*words: str, folder: Path | None = None) -> None:
    """Run DVC."""
    environment = {**clean_environment, **fork_servers()}
    subprocess.run(program(["dvc", *words]), cwd=folder, env=environment, capture_output=True, check=True)
