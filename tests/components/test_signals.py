"""Every step, ended by SIGTERM at any moment: soon, without a word, and no output that is half of something."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.durations import HANGING, SOON
from tests.toy import flag_words
from tests.workspaces import fork_servers

if TYPE_CHECKING:
    from tests.toy import World

root = Path(__file__).parents[2]
# What makes a step that has answered before do its work again.
ANEW: dict[str, dict[str, Any]] = {
    "ingest": {},
    "validate": {},
    "featurize": {},
    "gate": {"sample_rows": 400},
    "train": {},
    "evaluate": {"margin": 0.001},
    "deploy": {},
}
# How it is started: as on a cluster, where it imports its libraries first, or as by `tidegate run`.
MOMENTS = ("alone", "forked", "forked")
IMPORTS = 3.0  # seconds that a step takes longer alone


def start(world: "World", step: str, how: str = "forked") -> "subprocess.Popen[str]":
    given = world.flags(step, **({"until": "2024-05-10"} if step == "ingest" else {}), **ANEW[step])
    if "window_days" in given:
        given["window_days"] = 39
    flags = flag_words(given)
    return subprocess.Popen(
        [sys.executable, "-m", "tidegate", "step", step, *flags],
        cwd=root,
        env={**os.environ, **(fork_servers() if how == "forked" else {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def outputs(world: "World") -> list[str]:
    """The files by name; those of a store are its own affair. Every one of them must be whole."""
    found = {name for name in world.snapshot() if not name.startswith(("data/", "."))}
    for name in found:
        if name.endswith(".json"):
            json.loads((world / name).read_text())
        elif name.endswith(".parquet"):
            pd.read_parquet(world / name)
        elif name.endswith(".html"):
            assert (world / name).read_text().rstrip().endswith(("</html>", "</body>", "."))
    return sorted(found)


@pytest.mark.parametrize("step", ANEW)
def test_a_step_ends_at_any_moment(step: str, judged: "World") -> None:
    before, begun = outputs(judged), time.monotonic()
    whole = start(judged, step)
    said = whole.communicate(timeout=HANGING)[1]
    assert whole.returncode == 0, said
    lasts, chance = time.monotonic() - begun, random.Random()
    for how in MOMENTS:
        moment = chance.uniform(0.1, lasts + IMPORTS * (how == "alone"))
        process = start(judged, step, how)
        time.sleep(moment)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=HANGING)[1]
        took = time.monotonic() - asked
        # By the signal itself while Python starts or has finished.
        assert process.returncode in (0, 143, -signal.SIGTERM), (how, moment, said)
        assert "Traceback" not in said
        assert took < SOON, (how, moment)
        assert outputs(judged) == before, (how, moment)
        assert [path for path in judged.folder.iterdir() if path.name.startswith(".")] == []
    assert start(judged, step).wait(timeout=HANGING) == 0
