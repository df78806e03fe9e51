"""A workspace as a user has one: a folder in which programs are run."""

import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

# The files of a problem.
PROBLEM = (
    *("contract.yaml", "features.sql", "model.yaml", "params.yaml", "dvc.yaml", "cluster.yaml"),
    *(".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore"),
)
clean_environment = {
    name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_", "TIDEGATE_", "GIT_"))
}


class Workspace:
    """A problem with its own data and tracking store, in which programs are run as a user would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **clean_environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
        }

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment; `tidegate` and `dvc` are this interpreter's."""
        words = _program(command)
        found = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        if check:
            assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
        return found

    def tidegate(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `tidegate`."""
        return self.run("tidegate", *arguments, check=check)

    def here(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `tidegate` in this process, for what needs none of its own: to import MLflow alone takes two seconds."""
        from mlflow.tracking._tracking_service import utils

        from tidegate.commands.cli import main

        utils._artifact_repos_cache.clear()  # MLflow remembers by run where its files were
        out, err, code = io.StringIO(), io.StringIO(), 0
        place = (patch.dict(os.environ, self.environment, clear=True), chdir(self.folder))
        with place[0], place[1], redirect_stdout(out), redirect_stderr(err):
            try:
                main([*arguments])
            except SystemExit as ending:
                code = int(ending.code or 0)
        if check:
            assert code == 0, f"{arguments}\n{out.getvalue()}\n{err.getvalue()}"
        return subprocess.CompletedProcess([*arguments], code, out.getvalue(), err.getvalue())

    def snapshot(self) -> dict[str, bytes]:
        """What the steps wrote, with its bytes."""
        paths = (path for path in sorted((self / "artifacts").rglob("*")) if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}

    def copy(self, folder: Path) -> "Workspace":
        """The same state in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Workspace(folder)


def hear_ctrl_c() -> None:
    """For `preexec_fn`: what a shell runs in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _program(command: Sequence[str]) -> list[str]:
    modules = {"tidegate": "tidegate", "dvc": "dvc"}
    first, *rest = command
    return [sys.executable, "-m", modules[first], *rest] if first in modules else [first, *rest]
