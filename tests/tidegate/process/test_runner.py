"""A step ends with the DVC and the `tidegate run` that run it, whatever the shell, and publishes nothing after."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

root = Path(__file__).parents[3]
STEP = """\
import os, signal, sys, time
from pathlib import Path
from tidegate.documents.formats import write_text
from tidegate.process import runner

def reach(moment):
    Path(moment).write_text(str(os.getpid()))
    while moment == sys.argv[1] and not Path("go").exists():
        time.sleep(0.05)

reach("before it looks")
runner.watch()
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
reach("while it works")
write_text(Path("output"), "published")
"""
# `tidegate run` starts DVC and waits for it.
PARENT = """\
import os, subprocess, sys
environment = {**os.environ, "TIDEGATE_RUN_PROCESS": str(os.getpid())}
process = subprocess.Popen([sys.executable, "-m", "dvc", "repro", "--quiet"], env=environment)
open("dvc", "w").write(str(process.pid))
process.wait()
"""
# Shells differ in whether they become the last command or wait for it.
SHELLS = {"becomes the step": "exec {}", "waits for the step": "{}\nexit $?"}


def begun(folder: Path, shell: str, *words: str) -> "subprocess.Popen[bytes]":
    """A `tidegate run` whose DVC runs a stage in that shell."""
    (folder / "step.py").write_text(STEP)
    (folder / "shell").write_text("#!/bin/sh\n" + SHELLS[shell].format('sh -c "$2"') + "\n")
    (folder / "shell").chmod(0o755)
    command = " ".join(f'"{word}"' for word in (sys.executable, "step.py", *words))
    (folder / "dvc.yaml").write_text(f"stages:\n  slow:\n    cmd: >-\n      exec {command}\n    outs: [output]\n")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=folder, check=True)
    environment = {**os.environ, "PYTHONPATH": str(root), "SHELL": str(folder / "shell")}
    process = subprocess.Popen([sys.executable, "-c", PARENT], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    wait_until(lambda: (folder / words[0]).exists() and bool((folder / words[0]).read_text()))
    return process


def wait_until(holds: Callable[[], bool]) -> None:
    """Give a slow machine time; a test that waits for ever says nothing."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it never came true")


def alive(process: int) -> bool:
    """Whether a process runs: neither gone nor waiting for a parent to ask after it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # also between opening and reading
        return False


def pid(file: Path) -> int:
    return int(file.read_text())


@pytest.mark.parametrize("killed", ["dvc", "tidegate run"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_step_ends_with_those_that_run_it(killed: str, shell: str, tmp_path: Path) -> None:
    parent = begun(tmp_path, shell, "while it works")
    step, dvc = pid(tmp_path / "while it works"), pid(tmp_path / "dvc")
    os.kill(dvc if killed == "dvc" else parent.pid, signal.SIGKILL)
    wait_until(lambda: not alive(step) and not alive(dvc))
    parent.wait()
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("words", [("before it looks", ""), ("while it works", "deaf")])
def test_one_that_is_not_ended_in_time_publishes_nothing(words: tuple[str, str], tmp_path: Path) -> None:
    """Killed before the step could know, or while it hears no signal: a later run may write the same output."""
    parent = begun(tmp_path, "waits for the step", *words)
    os.kill(pid(tmp_path / "dvc"), signal.SIGKILL)
    parent.wait()
    (tmp_path / "output").write_text("of a later run")
    (tmp_path / "go").touch()
    step = pid(tmp_path / words[0])
    wait_until(lambda: not alive(step))
    assert (tmp_path / "output").read_text() == "of a later run"


def test_one_whose_run_goes_on_publishes(tmp_path: Path) -> None:
    parent = begun(tmp_path, "waits for the step", "while it works")
    time.sleep(1.5)
    (tmp_path / "go").touch()
    assert parent.wait() == 0
    assert (tmp_path / "output").read_text() == "published"
