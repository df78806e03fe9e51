"""A full disk under a problem, DVC's cache or an MLflow server: it is told, and finished when there is room."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.components.disks import mounting, need_mounting
from tests.components.test_signals import ANEW
from tests.servers.tracking import Server
from tests.toy import flag_words
from tests.workspaces import Workspace
from tidegate.process.errors import REFUSED, UNAVAILABLE
from tidegate.tracking.journal import history
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Rounds = Callable[..., int]
root = Path(__file__).parents[2]
# A disk in place of a folder, with what the folder holds; at the end the folder gets what the disk holds.
ON_A_DISK = """\
set -e
mkdir "$2.aside" && cp -a "$2/." "$2.aside" && mount -t tmpfs -o size="$1" none "$2" && cp -a "$2.aside/." "$2"
code=0; sh -c "$3" || code=$?
rm -rf "$2.aside" && mkdir "$2.aside" && cp -a "$2/." "$2.aside" && umount "$2"
find "$2" -mindepth 1 -delete && cp -a "$2.aside/." "$2" && rm -rf "$2.aside"
exit $code
"""
PAGE = 4096


def on_a_disk(
    folder: Path, room: int, command: list[str], environment: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a command while `folder` is a disk of its own with so many free pages."""
    need_mounting()
    used = sum(-(-path.stat().st_size // PAGE) for path in folder.rglob("*") if path.is_file())
    words = ["sh", "-c", ON_A_DISK, "sh", str((used + room) * PAGE), str(folder), shlex.join(command)]
    return subprocess.run([*mounting, *words], capture_output=True, text=True, check=False, env=environment, cwd="/")


@pytest.mark.parametrize("step", ["gate", "train", "evaluate", "deploy"])
def test_under_a_problem_and_its_tracking_store(step: str, judged: "World", rounds: Rounds) -> None:
    """With ever more room until it suffices: what does not fit is told, and nothing counts that is not whole."""
    flags = judged.flags(step, **ANEW[step])
    if "window_days" in flags:
        flags["window_days"] = 39  # by which the batch was made
    given = flag_words(flags)
    command = [sys.executable, "-m", "tidegate", "step", step, *given]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    for room in (0, 4, 16, 64, 256)[: rounds(5, 2)]:
        done = on_a_disk(judged.folder, room, command, environment)
        if done.returncode:
            assert done.returncode == REFUSED and done.stderr.count("\n") == 1, (room, done.stderr)
            assert "no space left on device" in done.stderr or "no room" in done.stderr, (room, done.stderr)
    assert subprocess.run(command, env=environment, cwd=root, check=False).returncode == 0
    assert history(connect(), "toy").champion == ("2" if step == "deploy" else "1")


def test_under_dvc_s_cache(turned_once: Workspace, tmp_path: Path, rounds: Rounds) -> None:
    rounds(1)
    workspace = turned_once.copy(tmp_path / "workspace")
    words = [sys.executable, "-m", "tidegate", "run", "--until", "2013-02-20"]
    command = ["sh", "-c", f"cd {shlex.quote(str(workspace.folder))} && {shlex.join(words)}"]
    done = on_a_disk(workspace / ".dvc/cache", 2, command, workspace.environment)
    assert done.returncode == REFUSED and "Traceback" not in done.stderr, done.stderr
    assert "No space left on device" in done.stderr or "no space left on device" in done.stderr
    workspace.run("tidegate", "run", "--until", "2013-02-20")


def test_under_an_mlflow_server(
    new_server: Callable[[str], Server], gate_begun: Callable[[str], "subprocess.Popen[str]"], rounds: Rounds
) -> None:
    rounds(1)
    server = new_server("64m")
    with (server.seen / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        for _ in range(64 * 2**20 // PAGE):
            ballast.write(bytes(PAGE))
    process = gate_begun(server.uri)
    said = process.communicate(timeout=180)[1]
    assert process.returncode in (REFUSED, UNAVAILABLE) and said.count("\n") == 1, said
    assert "no space left on device" in said
    (server.seen / "ballast").unlink()
    process = gate_begun(server.uri)
    assert (process.communicate(timeout=180)[1], process.returncode) == ("", 0)
