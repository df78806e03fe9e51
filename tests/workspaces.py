"""A workspace as a user has one: a folder in which programs are run."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import IO
from unittest.mock import patch

from tests.servers.forked import forked_dvc, forked_tidegate
from tidegate.process import fork, fork_server

# The files of a problem.
PROBLEM = (
    *("contract.yaml", "features.sql", "model.yaml", "params.yaml", "dvc.yaml", "cluster.yaml"),
    *(".gitignore", ".dvcignore", ".dvc/config", ".dvc/plots.html", ".dvc/.gitignore"),
)
# What the package sets when it is imported, for itself and for the programs that it starts.
AT_IMPORT = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_NUM_THREADS": "1",
}
clean_environment = {
    name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_", "TIDEGATE_", "GIT_"))
}


of_the_run: dict[str, str] = {}  # in a process of a run that has several: what `fork_servers` is in the first


@cache
def fork_servers() -> dict[str, str]:
    """The variable of the servers that fork the steps of all workspaces, so that libraries are imported once."""
    if of_the_run:
        return of_the_run
    servers = ExitStack()
    atexit.register(servers.close)
    environment = servers.enter_context(fork_server.serving(clean_environment))
    return {name: environment[name] for name in (fork.FOLDER,) if name in environment}


@cache
def dvc_server() -> Path | None:
    """The folder of the server that forks DVC for this process, for PATH; None where nothing is forked."""
    if not fork_servers():
        return None
    folder = tempfile.mkdtemp(prefix="tidegate-")
    server = forked_dvc.start(Path(folder))
    forked_tidegate.launch(Path(folder))

    @atexit.register
    def _end() -> None:
        server.kill()
        server.communicate()
        shutil.rmtree(folder)

    return Path(folder)


@contextmanager
def forked_programs() -> Iterator[None]:
    """Let what this process starts as DVC be a fork."""
    folder = dvc_server()
    with patch.object(sys, "executable", str(folder / "python") if folder else sys.executable):
        yield


def program(command: Sequence[str]) -> list[str]:
    """The words that start a program: `tidegate` and `dvc` are this interpreter's, forks of what has imported them.

    `sys.executable, "-m", "tidegate", ...` starts the program as a user does.
    """
    first, *rest = command
    if first in ("tidegate", "dvc") and (folder := dvc_server()):
        forked = {"tidegate": forked_tidegate.command(folder / "python"), "dvc": forked_dvc.command(folder)}
        return [*forked[first], *rest]
    return [sys.executable, "-m", first, *rest] if first in ("tidegate", "dvc") else [first, *rest]


class Workspace:
    """A problem with its own data and tracking store, in which programs are run as a user would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **clean_environment,
            **fork_servers(),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
        }

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def fork_programs(self) -> None:
        """Let what a shell starts as `tidegate` be a fork, and what that starts as DVC."""
        if folder := dvc_server():
            self.environment["PATH"] = f"{folder}{os.pathsep}{self.environment['PATH']}"

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, see `program`."""
        words = program(command)
        found = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        if check:
            assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
        return found

    def tidegate(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `tidegate` in this process, and the steps in theirs: to import what it shows would take two seconds.

        `run("tidegate", ...)` is a process of its own, and so is another version of Tidegate on PYTHONPATH.
        """
        if self.environment.get("PYTHONPATH") != clean_environment.get("PYTHONPATH"):
            return self.run("tidegate", *arguments, check=check)
        from mlflow.tracking._tracking_service import utils

        from tidegate.commands.cli import main

        utils._artifact_repos_cache.clear()  # MLflow remembers by run where its files were
        code = 0
        with (
            patch.dict(os.environ, {**AT_IMPORT, **self.environment}, clear=True),
            forked_programs(),
            chdir(self.folder),
            _written(1, redirect_stdout) as out,
            _written(2, redirect_stderr) as err,
        ):
            try:
                main([*arguments])
            except SystemExit as ending:
                code = int(ending.code or 0)
            said = [_read(stream) for stream in (out, err)]
        if check:
            assert code == 0, f"{arguments}\n{said[0]}\n{said[1]}"
        return subprocess.CompletedProcess([*arguments], code, *said)

    def snapshot(self) -> dict[str, bytes]:
        """What the steps wrote, with its bytes."""
        paths = (path for path in sorted((self / "artifacts").glob("*/**/*")) if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}

    def copy(self, folder: Path) -> "Workspace":
        """The same state in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Workspace(folder)


def hear_ctrl_c() -> None:
    """For `preexec_fn`: what a shell runs in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def _written(number: int, redirect: Callable[[IO[str]], AbstractContextManager[IO[str]]]) -> Iterator[IO[str]]:
    """A file that takes what this process writes to a stream, and what the programs do that it starts."""
    with tempfile.TemporaryFile("w+") as file, redirect(file):
        before = os.dup(number)
        os.dup2(file.fileno(), number)
        try:
            yield file
        finally:
            os.dup2(before, number)
            os.close(before)


def _read(file: IO[str]) -> str:
    file.flush()
    file.seek(0)
    return file.read()
