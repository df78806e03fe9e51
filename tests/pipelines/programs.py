"""git and DVC, as a test runs them in its working directory."""

import os
import subprocess
import sys

from tests.workspaces import clean_environment

AUTHOR = {f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(*words: str) -> str:
    """Run git; returns what it says."""
    environment = {**clean_environment, **AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *words], env=environment, capture_output=True, text=True, check=True).stdout.strip()


def dvc(*words: str) -> None:
    """Run DVC."""
    subprocess.run([sys.executable, "-m", "dvc", *words], env=clean_environment, capture_output=True, check=True)
