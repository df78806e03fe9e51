"""Every command of the README is run, in its order, in a workspace; every file it names is there."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tiers import lacking
from tests.workspaces import Workspace

root = Path(__file__).parents[1]
readme = (root / "README.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) for line in block.splitlines()]
elsewhere = {
    "make test",  # runs this
    ". .venv/bin/activate",  # the workspace's environment is this one
}
# Commands that run until they are ended: with which flags, and what answers then.
SERVERS = {
    "mlflow ui": ("--port 5917 --workers 1", "http://127.0.0.1:5917/health"),
    "tidegate serve": ("--port 5918 --grpc-port 0", "http://127.0.0.1:5918/v2/health/ready"),
}
slice_ends_in_june = (r"for month in [\d ]+;", "for month in 07;")


def test_the_readme_has_commands() -> None:
    assert {"make run", "make test", "tidegate batches", "dvc repro"} <= set(commands)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r'(?:`|")((?:docs|pipelines|components)/[\w./-]*)(?:`|")', readme)))
)
def test_what_it_names_is_there(path: str) -> None:
    assert (root / path).exists()


def test_every_command_does_what_it_says(new_workspace: Callable[[Path], Workspace], tmp_path: Path) -> None:
    workspace = clone(new_workspace(tmp_path / "clone"))
    workspace.fork_programs()
    (workspace / ".venv").symlink_to(sys.prefix)
    if not (workspace / ".venv/run").exists():
        lacking("the environment was not made by `make`")
    for name in ("requirements-build.txt", "requirements.txt", "pyproject.toml"):
        os.utime(workspace / name, (0, 0))  # the environment is newer than what it was made from
    told = {}
    for command in [line for line in commands if line not in elsewhere]:
        if server := next((name for name in SERVERS if name in command), None):
            _serve(workspace, command, server)
        elif "2014" not in command:
            told[command] = _run(workspace, re.sub(*slice_ends_in_june, command))
    assert "evaluate/metrics.json" in told["dvc metrics diff"] and "ingest.until" in told["dvc params diff"]
    assert "serves" in told["tidegate batches"] and "champion  version" in told["tidegate status"]
    assert "has nothing to do" in told["tidegate status"]
    assert "tidegate/" not in told["dvc params diff"] and "tidegate/" not in told["dvc metrics diff"]
    for page in re.findall(r"`(artifacts/[\w/]+\.html)`", readme):
        assert (workspace / page).is_file(), page
    assert "comp-gate" in (workspace / "training.yaml").read_text()


def clone(workspace: Workspace) -> Workspace:
    """The workspace with the rest of this repository around it, committed."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, listed):
        source, target = root / name, workspace / name
        if not target.exists() and not name.startswith("tests/") and (source.is_file() or source.is_symlink()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    workspace.run("git", "add", "--all")
    workspace.run("git", "commit", "--quiet", "--message", "Add the code")
    return workspace


def _run(workspace: Workspace, command: str) -> str:
    found = workspace.run("bash", "-euc", command, check=False)
    assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
    return found.stdout


def _serve(workspace: Workspace, command: str, name: str) -> None:
    """A server: it must answer, then it is stopped."""
    flags, address = SERVERS[name]
    words = ["bash", "-c", f"{command.replace(name, f'exec {name}')} {flags}"]
    environment = {**workspace.environment, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with subprocess.Popen(
        words, cwd=workspace.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(120):
                try:
                    with urllib.request.urlopen(address, timeout=2) as answer:
                        assert answer.status == 200
                        return
                except OSError:
                    time.sleep(0.5)
            raise AssertionError(f"{command} does not answer")
        finally:
            server.terminate()
