"""A workspace in which DVC runs, or has been killed: who holds its lock, and what to do."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.commands.loop import locks, workspace
from tidegate.process import limits
from tidegate.process.errors import InputError

# Holds the lock as DVC does, and says so.
HOLDER = """\
import sys, time, zc.lockfile
lock = zc.lockfile.LockFile(".dvc/tmp/lock")
print("held", flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC project without stages."""
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    (tmp_path / ".dvc/config").write_text("[core]\nno_scm = true\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def holder(here: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that holds the lock for a minute."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, "60"], stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def note(pid: int, kind: str = "write") -> None:
    """What DVC notes while it runs a stage."""
    holders = {"pid": pid, "cmd": "dvc repro"}
    Path(".dvc/tmp/rwlock").write_text(json.dumps({kind: {"/output": holders if kind == "write" else [holders]}}))


def test_a_workspace_in_which_nothing_runs_is_free() -> None:
    locks.check()


def test_the_holder_is_named_and_its_lock_stays(holder: "subprocess.Popen[bytes]") -> None:
    told = f"found process {holder.pid} ("
    for look in (locks.check, lambda: workspace.changed_stages("output")):
        with pytest.raises(InputError) as caught:
            look()
        assert told in str(caught.value) and "wait until it has ended" in str(caught.value)
        assert "remove" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_holder_that_is_gone_holds_nothing(holder: "subprocess.Popen[bytes]") -> None:
    holder.kill()
    holder.wait()
    note(holder.pid)
    locks.check()  # as DVC does, which removes such a note


def test_one_that_only_looks_at_something_is_waited_for(here: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(limits.LOCK_SECONDS / 3)], stdout=subprocess.PIPE) as it:
        assert it.stdout and it.stdout.readline() == b"held\n"
        locks.check()


@pytest.mark.parametrize("kind", ["read", "write"])
def test_who_runs_a_stage_is_named(kind: str) -> None:
    note(os.getpid(), kind)
    with pytest.raises(InputError, match=rf"found process {os.getpid()} \(.*, which runs since 20.*wait until"):
        locks.check()


def test_a_note_whose_number_was_given_to_another_process_is_named_and_may_go() -> None:
    process = subprocess.Popen(["sleep", "60"])
    note(process.pid)
    os.utime(".dvc/tmp/rwlock", (time.time() - 60, time.time() - 60))
    with pytest.raises(InputError, match=rf"process {process.pid}, which has ended; remove \.dvc/tmp/rwlock"):
        locks.check()
    process.kill()
    process.wait()


def test_a_note_of_a_process_that_nobody_has_asked_after_may_go() -> None:
    process = subprocess.Popen(["true"])
    while "(true) Z" not in Path(f"/proc/{process.pid}/stat").read_text():
        time.sleep(0.02)
    note(process.pid)
    with pytest.raises(InputError, match="which has ended"):
        locks.check()
    process.wait()


def test_looking_takes_no_lock() -> None:
    Path(".dvc/tmp/lock").touch()
    locks.check()
    with Path(".dvc/tmp/lock").open() as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_dvc_that_is_killed_is_told(here: Path) -> None:
    (here / "dvc.yaml").write_text("stages:\n  last:\n    cmd: kill -9 $PPID\n")
    with pytest.raises(InputError, match="dvc repro: expected to run to its end, found that SIGKILL ended it"):
        list(workspace.repro(workspace.environment()))
