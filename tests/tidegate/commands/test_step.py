"""`tidegate step NAME`: what DVC and Kubeflow run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toy import World
from tidegate.commands import step
from tidegate.process import code
from tidegate.process.errors import InputError

TIDEGATE = [sys.executable, "-P", "-m", "tidegate"]


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`tidegate step` with these words in a folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "TIDEGATE_"))}
    return subprocess.run(
        [*TIDEGATE, "step", *words], cwd=folder, env=clean | environment, capture_output=True, text=True, check=False
    )


SKIPPED = {"skipped": "retrain is false: the gate is shut"}
FLAGS = ("--model", "out/model.skops", "--baselines=out/baselines.skops", "--reference", "out/reference")


def test_a_shut_gate_replaces_whatever_lay_there_and_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "retrain").write_text("false")
    for folder in ("reference", "model.skops"):
        (tmp_path / "out" / folder).mkdir(parents=True)
        (tmp_path / "out" / folder / "old").touch()
    (tmp_path / "out" / "record.json").write_text("old")
    words = ("train", "--if", "retrain", *FLAGS, "--record", "out/record.json")
    done = run(tmp_path, *words, PYTHONPROFILEIMPORTTIME="1")
    assert (done.returncode, done.stdout) == (0, "")
    assert not [line for line in done.stderr.splitlines() if line.split("|")[-1].strip() in ("numpy", "sklearn")]
    files = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in (tmp_path / "out").rglob("*.*")}
    assert {name: json.loads(text) for name, text in files.items() if (tmp_path / name).is_file()} == {
        "out/model.skops": SKIPPED,
        "out/baselines.skops": SKIPPED,
        "out/reference/skipped.json": SKIPPED,
        "out/record.json": {**SKIPPED, **step.WITHOUT_POINTS["record.json"]},
    }


def test_a_skipped_page_is_a_page(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    step.skip(path, "Output", "a < b")
    page = path.read_text()
    assert '<h1 class="quiet">Skipped</h1>\n<p>a &lt; b.</p>' in page and "Content-Security-Policy" in page


@pytest.mark.parametrize("text", ["", "True", "true\n", "{}", "false "])
def test_whatever_else_the_gate_says_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "retrain").write_text(text)
    done = run(tmp_path, "train", "--if", "retrain", *FLAGS, "--record", "out/record.json")
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert done.stderr.startswith("error: retrain: expected true or false, found ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["gait"], "tidegate step: expected a step, found 'gait' (did you mean 'gate'?); see `tidegate step --help`"),
        (
            ["gate", "--from", "x=gate"],
            "--from: expected FLAG=SECTION.KEY, found 'x=gate'; see `tidegate step --help`",
        ),
        (["gate", "--if", "nothing"], "nothing: expected a file, found nothing; check the path"),
    ],
)
def test_what_it_does_not_understand_is_one_line(tmp_path: Path, words: list[str], told: str) -> None:
    done = run(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {told}\n")


def test_values_without_a_flag_are_those_of_params_yaml(world: World, root: Path) -> None:
    """Own section, another section, and what no shell could carry."""
    text = (root / "params.yaml").read_text()
    text = text.replace('until: "2013-03-01"', 'until: "2024-04-01"').replace("batch_days: 28", "batch_days: 14")
    (world / "params.yaml").write_text(text)
    paths = {name: world / name for name in ("data", "contract.yaml", "tables", "manifest.json")}
    words = [f"--{path.stem}={path}" for path in paths.values()]
    done = run(world.folder, "ingest", *words)
    assert done.returncode == 0, done.stderr
    manifest = json.loads(paths["manifest.json"].read_text())
    assert manifest["until"].startswith("2024-04-01") and manifest["batch"]["start"].startswith("2024-03-18")
    done = run(world.folder, "ingest", *words, "--until=2024-03-01", "--from", "x=y.z")
    assert done.returncode == 2  # `--from` stands before the flags
    done = run(world.folder, "ingest", "--from", "batch_days=train.window_days", *words, "--until=2024-03-01")
    assert done.returncode == 0, done.stderr
    manifest = json.loads(paths["manifest.json"].read_text())
    assert manifest["until"].startswith("2024-03-01") and manifest["batch"]["start"].startswith("2023-03-02")
    (world / "params.yaml").write_text(text.replace("batch_days: 14", "batch_days: $(touch owned)"))
    done = run(world.folder, "ingest", *words)
    assert done.returncode == 2 and "ingest.batch_days" in done.stderr and not (world / "owned").exists()


def test_a_dvc_yaml_from_before_the_shadow_still_runs_evaluate(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[3] / "params.yaml", tmp_path)
    read = ("clean", "features", "batch", "contract", "model", "baselines", "record")
    flags = [f"--{name}={name}" for name in (*read, "verdict", "report", "metrics", "curves")]
    done = run(tmp_path, "evaluate", "--from", "sign=deploy.sign", *flags)
    assert done.stderr == "error: record: expected a file, found nothing; check the path\n"


def test_without_params_yaml_every_value_needs_its_flag(world: World) -> None:
    done = run(world.folder, "ingest", f"--data={world / 'data'}")
    assert done.returncode == 2 and "--until" in done.stderr


def test_nothing_in_the_folder_of_a_person_takes_the_place_of_ours(tmp_path: Path) -> None:
    for name in ("tidegate.py", "components.py", "pipelines.py", "code.py", "step.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')\n")
    for words in (["step", "gate", "--help"], ["code"], ["--version"], ["code", "--list"]):
        program = Path(sys.executable).with_name("tidegate")
        done = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), words
    assert (tmp_path / "artifacts/code/gate").read_text() == code.digest("gate")


def test_a_digest_that_is_stale_stops_the_step_under_dvc(world: World, tmp_path: Path) -> None:
    words = ["ingest", "--help"]
    assert run(world.folder, *words, DVC_STAGE="ingest").returncode == 0  # there is no digest yet
    path = world / "artifacts/code/ingest"
    path.parent.mkdir(parents=True)
    path.write_text(code.digest("ingest"))
    assert run(world.folder, *words, DVC_STAGE="ingest").returncode == 0
    path.write_text("0" * 64)
    done = run(world.folder, *words, DVC_STAGE="ingest")
    assert done.returncode == 2 and "found 000000000000; run `dvc repro` without --single-item" in done.stderr
    assert run(world.folder, *words).returncode == 0


def test_the_outputs_of_a_step_are_read_without_importing_it() -> None:
    assert step.outputs("train") == {
        "model": "Output", "baselines": "Output", "reference": "OutputFolder", "record": "Output",
    }  # fmt: skip
    with pytest.raises(InputError):
        step.parse(["nothing"])
