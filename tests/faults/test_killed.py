"""A run and each step, killed and ended at random moments: outputs stay whole, and the next run completes them."""

import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.components.test_signals import ANEW, start
from tests.durations import HANGING
from tests.workspaces import Workspace
from tidegate.documents.formats import TEMPORARY

if TYPE_CHECKING:
    from tests.toy import World

Rounds = Callable[..., int]
SEED = int(os.environ.get("TIDEGATE_SEED") or secrets.randbits(32))
ENDS = {"SIGKILL": -signal.SIGKILL, "SIGTERM": 128 + signal.SIGTERM}


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Draws the moments of a test; `TIDEGATE_SEED=... pytest` draws them again."""
    print(f"TIDEGATE_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


def check_whole(folder: Path) -> None:
    """Every document, table and page below a folder can be read to its end."""
    for path in folder.rglob("*"):
        if any(TEMPORARY.fullmatch(part) for part in path.relative_to(folder).parts) or not path.is_file():
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".parquet":
            pd.read_parquet(path)
        elif path.suffix == ".html":
            assert re.search(r"</html>\s*$|</body>\s*$|\.\s*$", path.read_text()), path


def leftovers(folder: Path) -> list[Path]:
    """What has a temporary name."""
    return [path for path in folder.rglob(".*") if TEMPORARY.fullmatch(path.name)]


@pytest.mark.parametrize("by", ENDS)
@pytest.mark.parametrize("step", ANEW)
def test_a_step_at_any_moment(step: str, by: str, judged: "World", rounds: Rounds, chance: random.Random) -> None:
    begun = time.monotonic()
    assert start(judged, step).wait(timeout=300) == 0
    lasts, names = time.monotonic() - begun, judged.snapshot().keys()
    for number in range(rounds(5, 1)):
        moment = chance.uniform(0, lasts)
        process = start(judged, step)
        time.sleep(moment)
        process.send_signal(signal.Signals[by])
        said = process.communicate(timeout=HANGING)[1]
        assert process.returncode in (0, ENDS[by], -signal.SIGTERM), (number, moment, said)
        check_whole(judged.folder)
        assert start(judged, step).wait(timeout=300) == 0, (number, moment)
        assert judged.snapshot().keys() == names and leftovers(judged.folder) == [], (number, moment)


def started(workspace: Workspace) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tidegate", "run", "--anew"],
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("by", ENDS)
def test_a_run_at_any_moment(
    by: str, turned_once: Workspace, tmp_path: Path, rounds: Rounds, chance: random.Random
) -> None:
    """`tidegate run` alone is killed; DVC and the step end by themselves, and the next run goes on at once."""
    workspace = turned_once.copy(tmp_path / "workspace")
    begun = time.monotonic()
    assert started(workspace).wait(timeout=600) == 0
    lasts, names = time.monotonic() - begun, workspace.snapshot().keys()
    for number in range(rounds(5, 1)):
        moment = chance.uniform(0, lasts)
        process = started(workspace)
        time.sleep(moment)
        process.send_signal(signal.Signals[by])
        said = process.communicate(timeout=HANGING)[1]  # until the last process that writes to it has ended
        assert process.returncode in (0, ENDS[by], -signal.SIGTERM), (number, moment, said)
        check_whole(workspace / "artifacts")
        done = workspace.run("tidegate", "run", "--json")
        assert json.loads(done.stdout)["champion"] == "1", (number, moment)
        assert workspace.snapshot().keys() == names and leftovers(workspace / "artifacts") == [], (number, moment)
