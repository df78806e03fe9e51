"""A step is tried again in its pod if what ended it may pass, and no more often than it should be."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.durations import HANGING
from tests.tidegate.process.test_runner import alive, wait_until
from tidegate.process import attempts, child, limits
from tidegate.process.child import split

root = Path(__file__).parents[3]
# Notes that it ran and what it was given, and ends as the line says that belongs to this attempt.
STEP = """
import json, os, signal, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
with (folder / "ran").open("a") as log:
    print(json.dumps(sys.argv[2:]), file=log)
number = len((folder / "ran").read_text().splitlines())
print(f"said {number}", flush=True)
plan = (folder / "plan").read_text().split()
todo = plan[number - 1]
if todo.startswith("-"):
    os.kill(os.getpid(), -int(todo))
if todo in ("sleep", "deaf"):
    if todo == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (folder / "asleep").write_text(str(os.getpid()))
    time.sleep(300)
sys.exit(int(todo))
"""


class Step:
    """A step with a plan for its attempts."""

    def __init__(self, folder: Path, *plan: object) -> None:
        self.folder = folder
        (folder / "step.py").write_text(STEP)
        (folder / "plan").write_text(" ".join(map(str, plan)))

    def command(self, *words: str, times: int = 2, wait: float = 0, timeout: float = 60) -> list[str]:
        """The step, tried again."""
        flags = ["--times", str(times), "--wait", str(wait), "--timeout", str(timeout)]
        step = [sys.executable, str(self.folder / "step.py"), str(self.folder), *words]
        return [sys.executable, "-m", "tidegate.process.attempts", *flags, "--", *step]

    def run(self, *words: str, times: int = 2, timeout: float = 60, **given: str) -> subprocess.CompletedProcess[str]:
        """How it ended, and what it said."""
        environment = {name: value for name, value in os.environ.items() if name != attempts.POD_RETRIES} | given
        command = self.command(*words, times=times, timeout=timeout)
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)

    @property
    def ran(self) -> int:
        """How often it ran."""
        return len((self.folder / "ran").read_text().splitlines())


@pytest.mark.parametrize(
    ("plan", "code", "ran"),
    [
        ((0,), 0, 1),
        ((75, 0), 0, 2),
        ((1, 75, 0), 0, 3),
        ((1, 75, 3), 3, 3),
        ((2,), 2, 1),  # a person has to correct it
        ((75, 2), 2, 2),
        ((-signal.SIGKILL, 0), 0, 2),
        ((-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGKILL), 137, 3),
    ],
)
def test_what_may_pass_is_tried_again(tmp_path: Path, plan: tuple[int, ...], code: int, ran: int) -> None:
    step = Step(tmp_path, *plan)
    assert (step.run().returncode, step.ran) == (code, ran)


def test_every_other_attempt_is_told_in_a_line_with_its_reason(tmp_path: Path) -> None:
    done = Step(tmp_path, 75, -9, 1, 0).run(times=3)
    assert done.stdout.splitlines() == ["said 1", "said 2", "said 3", "said 4"]
    assert done.stderr.splitlines() == [
        "attempt 2 of 4 in 0 s: a service did not answer",
        "attempt 3 of 4 in 0 s: ended by SIGKILL",
        "attempt 4 of 4 in 0 s: exit code 1",
    ]


def test_the_words_of_the_step_are_its_own(tmp_path: Path) -> None:
    words = ["--times", "9", "--", "", "a b", "$HOME; exit 3", '{"outputs": {}}', "-- x"]
    Step(tmp_path, 0).run(*words)
    assert (tmp_path / "ran").read_text() == json.dumps(words) + "\n"


@pytest.mark.parametrize(("index", "ran"), [("", 3), ("0", 3), ("1", 2), ("2", 1), ("7", 1), ("{{retries}}", 3)])
def test_a_pod_that_the_cluster_has_started_again_has_fewer(tmp_path: Path, index: str, ran: int) -> None:
    step = Step(tmp_path, 1, 1, 1)
    step.run(KFP_RETRY_INDEX=index)
    assert step.ran == ran


def test_the_time_of_one_attempt_is_limited_and_the_next_one_has_it_anew(tmp_path: Path) -> None:
    step = Step(tmp_path, "sleep", 0)
    done = step.run(timeout=8)
    assert (done.returncode, step.ran) == (0, 2)
    assert done.stderr == "attempt 2 of 3 in 0 s: no end within 8 s\n"
    assert not alive(int((tmp_path / "asleep").read_text()))


def test_who_does_not_hear_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GRACE_SECONDS", 0.5)
    step = Step(tmp_path, "deaf", "deaf")
    words = step.command()[step.command().index("--") + 1 :]
    assert attempts.attempts(words, times=1, wait=0, timeout=5) == child.TIMED_OUT
    assert step.ran == 2 and not alive(int((tmp_path / "asleep").read_text()))
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_step_and_is_no_reason_to_try_again(tmp_path: Path, number: signal.Signals) -> None:
    step = Step(tmp_path, "sleep", 0)
    process = subprocess.Popen(step.command(), cwd=root, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: (tmp_path / "asleep").exists() and bool((tmp_path / "asleep").read_text()))
    process.send_signal(number)
    _, said = process.communicate(timeout=HANGING)
    assert (process.returncode, step.ran) == (128 + number, 1)
    assert "attempt" not in said
    assert not alive(int((tmp_path / "asleep").read_text()))


def test_a_signal_ends_the_wait_before_another_attempt(tmp_path: Path) -> None:
    step = Step(tmp_path, 75, 0)
    process = subprocess.Popen(step.command(wait=600), cwd=root, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "attempt 2 of 3 in 600 s: a service did not answer\n"
    process.terminate()
    assert process.wait(60) == 75 and step.ran == 1


def test_each_wait_is_twice_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "raise SystemExit(1)"]
    attempts.attempts(command, times=3, wait=0.01, timeout=60)
    seconds = [line.split(" in ")[1].split(" s")[0] for line in capsys.readouterr().err.splitlines()]
    assert seconds == ["0.01", "0.02", "0.04"]


def test_nothing_heavy_is_loaded_for_it() -> None:
    code = "import sys; sys.argv = ['x']; before = set(sys.modules)\n"
    code += "import tidegate.process.attempts, tidegate.process.sequence\n"
    code += "print({name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "{'tidegate'}\n"


def test_only_the_first_separator_counts() -> None:
    assert split(["--times", "2", "--", "a", "--", "b"]) == (["--times", "2"], ["a", "--", "b"])
