"""`pipelines.when` as DVC runs it: a process that becomes the command, or says that it was skipped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
WHEN = [sys.executable, "-m", "pipelines.when", "--if", "retrain", "--writes"]


def when(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder`."""
    return subprocess.run(
        [*WHEN, *arguments], check=False, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )


def test_open(tmp_path: Path) -> None:
    (tmp_path / "retrain").write_text("true")
    script = "import sys; print(sys.argv[1:], sys.executable); open('out.json', 'w').write('made'); sys.exit(7)"
    done = when(tmp_path, "out.json", "--", "python", "-c", script, "--if", "x", "--")
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == f"['--if', 'x', '--'] {sys.executable}\n"
    assert (tmp_path / "out.json").read_text() == "made"


def test_python_means_this_interpreter_whatever_the_path(tmp_path: Path) -> None:
    (tmp_path / "retrain").write_text("true")
    command = [*WHEN, "out", "--", "python", "-c", "import sys; print(sys.prefix)"]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, env=ENVIRONMENT | {"PATH": "/bin"}, capture_output=True, text=True
    )
    assert done.stdout == f"{sys.prefix}\n"


def test_shut_replaces_whatever_lay_there(tmp_path: Path) -> None:
    (tmp_path / "retrain").write_text("false")
    for folder in ("reference", "model.skops"):
        (tmp_path / "out" / folder).mkdir(parents=True)
        (tmp_path / "out" / folder / "old").touch()
    (tmp_path / "out" / "record.json").write_text("old")
    paths = ["out/model.skops", "out/record.json", "out/reference/", "out/report.html"]
    done = when(tmp_path, *paths, "--", "python", "-c", "open('ran', 'w')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    page = found.pop("out/report.html")
    assert "<p>Skipped: retrain is false: the gate is shut</p>" in page
    assert found.pop("retrain") == "false"
    skipped = {"skipped": "retrain is false: the gate is shut"}
    assert {path: json.loads(text) for path, text in found.items()} == {
        "out/model.skops": skipped,
        "out/record.json": skipped,
        "out/reference/skipped.json": skipped,
    }


@pytest.mark.parametrize("text", [None, "", "True", "true\n", "yes", "x" * 1000])
def test_anything_else_is_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "retrain").write_text(text)
    done = when(tmp_path, "out.json", "--", "python", "-c", "open('ran', 'w')")
    assert done.returncode == 2
    assert done.stderr.startswith("error: retrain: expected ")
    assert done.stderr.count("\n") == 1 and len(done.stderr) < 200
    assert not (tmp_path / "out.json").exists() and not (tmp_path / "ran").exists()


def test_a_command_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "retrain").write_text("true")
    done = when(tmp_path, "out.json", "--", "no-such-program")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "no-such-program" in done.stderr and done.stderr.count("\n") == 1


def test_signals_reach_the_command(tmp_path: Path) -> None:
    (tmp_path / "retrain").write_text("true")
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    command = [*WHEN, "out", "--", "python", "-c", script]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 9


def test_it_imports_nothing_heavy() -> None:
    script = "import sys, pipelines.when; print({'kfp', 'ruamel', 'pandas', 'numpy', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
