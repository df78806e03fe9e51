"""Steps as one task: one after the other, up to the first that fails, each with its own words."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidegate.process.test_attempts import Step
from tests.tidegate.process.test_runner import alive, wait_until
from tidegate.process.sequence import commands

root = Path(__file__).parents[3]


def command(folder: Path, *plans: object) -> list[str]:
    """Steps that end as their plans say, by the names of their folders."""
    words = []
    for number, plan in enumerate(plans):
        place = folder / f"s{number}"
        place.mkdir()
        step = Step(place, plan)
        words.append([sys.executable, str(place / "step.py"), str(step.folder), "s1=3", "--", "", "a b"])
    names = [f"s{number}={len(step)}" for number, step in enumerate(words)]
    flat = [word for step in words for word in step]
    return [sys.executable, "-m", "tidegate.process.sequence", *names, "--", *flat]


@pytest.mark.parametrize(
    ("plans", "code", "ran"),
    [((0, 0, 0), 0, ["s0", "s1", "s2"]), ((0, 2, 0), 2, ["s0", "s1"]), ((0, -9, 0), 137, ["s0", "s1"])],
)
def test_the_first_that_fails_ends_it(tmp_path: Path, plans: tuple[int, ...], code: int, ran: list[str]) -> None:
    done = subprocess.run(command(tmp_path, *plans), cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stderr.splitlines() == [f"step {number} of 3: {name}" for number, name in enumerate(ran, start=1)]
    logs = {path.parent.name: path.read_text() for path in tmp_path.rglob("ran")}
    assert logs == dict.fromkeys(ran, json.dumps(["s1=3", "--", "", "a b"]) + "\n")


def test_a_signal_ends_the_step_and_no_other_begins(tmp_path: Path) -> None:
    process = subprocess.Popen(command(tmp_path, 0, "sleep", 0), cwd=root)
    asleep = tmp_path / "s1/asleep"
    wait_until(lambda: asleep.exists() and bool(asleep.read_text()))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143 and not alive(int(asleep.read_text()))
    assert not (tmp_path / "s2/ran").exists()


def test_words_are_counted() -> None:
    assert dict(commands({"a": 2, "b": 0, "c": 1}, ["x", "--", "y"])) == {"a": ["x", "--"], "b": [], "c": ["y"]}
