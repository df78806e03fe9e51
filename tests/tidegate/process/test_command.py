"""A typed function is a command line: flags, exit codes and Kubeflow's metadata file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tidegate.process.command import Output, parser, run
from tidegate.process.errors import (
    InputError,
    SchemaSkewError,
    TrackingError,
    UnavailableError,
    UnavailableTrackingError,
)

root = Path(__file__).parents[3]
given = ["--data", "raw", "--until", "2013-03-01", "--batch_days", "28", "--margin", "1e-3", "--warm", "false"]


def step(data: Path, until: str, batch_days: int, margin: float, warm: bool) -> None:
    """Do something."""


def call(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], *flags: str) -> None:
    monkeypatch.setattr(sys, "argv", ["step", *flags])
    run(function)


def test_every_parameter_is_a_flag_of_its_own_name() -> None:
    found = vars(parser(step).parse_args(given))
    assert found == {
        "data": Path("raw"),
        "until": "2013-03-01",
        "batch_days": 28,
        "margin": 0.001,
        "warm": False,
        "executor_input": None,
    }


def test_the_help_says_what_the_step_does_and_hides_what_nobody_types() -> None:
    text = parser(step).format_help()
    assert "Do something." in text
    assert "--batch_days INT" in text
    assert "executor-input" not in text


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (given[2:], "the following arguments are required: --data"),
        ([*given, "--other", "1"], "unrecognized arguments: --other 1"),
        ([*given[:-1], "yes"], "argument --warm: expected true or false, found 'yes'"),
        ([*given[:-1], "True"], "argument --warm: expected true or false, found 'True'"),
        ([*given[:-1], "1"], "argument --warm: expected true or false, found '1'"),
        ([*given, "--batch_days", "2.5"], "argument --batch_days: invalid int value: '2.5'"),
        (["--batch", "28", *given[:4], *given[6:]], "the following arguments are required: --batch_days"),
    ],
)
def test_wrong_flags_are_told(flags: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser(step).parse_args(flags)
    assert caught.value.code == 2
    assert told in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (InputError("price", "a number", "'x'", "mend it"), ["error: price: expected a number, found 'x'; mend it"]),
        (SchemaSkewError(["a: one", "b: two"], "mend both"), ["error: a: one", "error: b: two", "error: mend both"]),
        (
            FileNotFoundError(2, "No such file", "x.csv"),
            ["error: x.csv: expected a readable and writable path, found No such file; check the path and its rights"],
        ),
    ],
)
def test_a_fault_of_the_input_is_a_line_each(
    error: Exception, lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def faulty() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        call(monkeypatch, faulty)
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines() == lines
    monkeypatch.setenv("TIDEGATE_DEBUG", "1")
    with pytest.raises(SystemExit):
        call(monkeypatch, faulty)
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnavailableError("the store", "an answer", "none", "wait"), 75),
        (UnavailableTrackingError("the server", "an answer", "none", "wait"), 75),
        (TrackingError("the server", "a champion", "none", "train one"), 2),
        (ConnectionRefusedError(111, "Connection refused"), 75),
        (TimeoutError("no answer in 20 s"), 75),
        (PermissionError(13, "Permission denied", "x.csv"), 2),
    ],
)
def test_what_may_pass_by_itself_has_another_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        call(monkeypatch, away)
    assert caught.value.code == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy() -> None:
        raise KeyError("price")

    with pytest.raises(KeyError):
        call(monkeypatch, buggy)


def test_metadata_goes_where_kubeflow_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judged() -> Mapping[str, Mapping[str, Any]]:
        return {"metrics": {"log_loss": 0.5}}

    artifacts = {
        name: {"artifacts": [{"name": f"runs/{name}", "uri": f"minio://{name}", "metadata": {}}]}
        for name in ("metrics", "report")
    }
    executor_input = {"outputs": {"artifacts": artifacts, "outputFile": str(tmp_path / "deep/executor.json")}}
    call(monkeypatch, judged, "--executor-input", json.dumps(executor_input))
    found = json.loads((tmp_path / "deep/executor.json").read_text())
    assert found == {
        "artifacts": {
            "metrics": {
                "artifacts": [{"name": "runs/metrics", "uri": "minio://metrics", "metadata": {"log_loss": 0.5}}]
            }
        }
    }
    call(monkeypatch, judged)
    assert [path.name for path in tmp_path.rglob("*.json")] == ["executor.json"]


def test_steps_that_share_a_task_share_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gate() -> Mapping[str, Mapping[str, Any]]:
        return {"signals": {"decay": 0.1}}

    def evaluate() -> Mapping[str, Mapping[str, Any]]:
        return {"metrics": {"log_loss": 0.5}}

    artifacts = {
        name: {"artifacts": [{"name": name, "uri": f"minio://{name}"}]} for name in ("signals", "evaluate_metrics")
    }
    file = tmp_path / "executor.json"
    file.touch()
    executor_input = json.dumps({"outputs": {"artifacts": artifacts, "outputFile": str(file)}})
    for step in (gate, evaluate, gate):  # the last is another attempt
        call(monkeypatch, step, "--executor-input", executor_input)
    found = json.loads(file.read_text())["artifacts"]
    assert {name: told["artifacts"][0]["metadata"] for name, told in found.items()} == {
        "signals": {"decay": 0.1},
        "evaluate_metrics": {"log_loss": 0.5},
    }
    assert found["evaluate_metrics"]["artifacts"][0]["uri"] == "minio://evaluate_metrics"


def test_garbage_is_collected_once_the_step_runs_and_not_while_it_imports() -> None:
    script = (
        "import gc, sys\n"
        "sys.argv = ['tidegate', 'step']\n"
        "from tidegate.process.command import run\n"
        "print(gc.isenabled())\n"
        "def step() -> None:\n"
        "    print(gc.isenabled(), gc.get_freeze_count() > 1000)\n"
        "run(step, [])\n"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout == "False\nTrue True\n" and found.stderr == ""


def edited_meanwhile(table: Path, folder: Path, made: Output) -> None:
    """Somebody edits an input while this runs."""
    made.write_text(table.read_text())
    edited = Path(os.environ["EDITED"])
    edited.write_text("other")


@pytest.mark.parametrize(
    ("edited", "refused"), [("table", True), ("folder/old", True), ("folder/new", True), ("made", False)]
)
def test_an_input_that_is_edited_while_a_step_runs_ends_it(
    edited: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise DVC would take the outputs for those of the edited input, and never run the step again."""
    (tmp_path / "folder").mkdir()
    for name in ("table", "folder/old"):
        (tmp_path / name).write_text("before")
    monkeypatch.setenv("EDITED", str(tmp_path / edited))
    flags = [f"--{name}={tmp_path / name}" for name in ("table", "folder", "made")]
    if not refused:
        call(monkeypatch, edited_meanwhile, *flags)
        return
    with pytest.raises(SystemExit) as caught:
        call(monkeypatch, edited_meanwhile, *flags)
    assert caught.value.code == 2
    expected = "an input that stays as it is while a step runs, found another content; run it again"
    assert capsys.readouterr().err == f"error: {tmp_path / edited}: expected {expected}\n"
