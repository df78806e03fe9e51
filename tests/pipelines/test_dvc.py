"""Rendering: the committed files, what is kept, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tidegate.documents.formats import parse_yaml
from tidegate.pipelines import dvc, rendering
from tidegate.pipelines.graph import Parameter
from tidegate.process.errors import InputError

HAND = """\
# Above the stages.
vars: []
stages:
  old:  # goes
    cmd: false

# Below the stages.

plots:  # by hand
  - scores:
      y: {a.csv: b}
"""


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    """A problem of which there are the parameters, as working directory."""
    (tmp_path / "params.yaml").write_text((root / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_committed_is_what_would_be_rendered(root: Path) -> None:
    rendering.check()


def test_another_problem_gets_its_stages_and_none_of_our_pages(problem: Path) -> None:
    rendering.write()
    assert sorted(path.name for path in problem.iterdir()) == ["dvc.yaml", "params.yaml"]
    rendering.check()


def test_hand_written_parts_stay(problem: Path, compiled: dict[str, Any]) -> None:
    (problem / "dvc.yaml").write_text(HAND)
    text = dvc.render(compiled)
    assert text.startswith("# Above the stages.\nvars: []\nstages:\n  code:\n")
    assert text.endswith("\n\n" + HAND[HAND.index("# Below") :])
    assert "old:" not in text
    (problem / "dvc.yaml").write_text(text)
    assert dvc.render(compiled) == text


@pytest.mark.parametrize("text", ["", "plots: []\n", "stages: {}\nstages: {}\n", "- a list\n", "stages:\n- a list\n"])
def test_a_file_without_one_place_for_stages_is_refused(problem: Path, compiled: dict[str, Any], text: str) -> None:
    (problem / "dvc.yaml").write_text(text)
    with pytest.raises(InputError, match=r"^dvc\.yaml"):
        dvc.render(compiled)


def test_a_stage(problem: Path, compiled: dict[str, Any]) -> None:
    stages = parse_yaml(dvc.render(compiled), "dvc.yaml")["stages"]
    assert list(stages) == ["code", "ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy"]
    assert stages["train"] == {
        "cmd": (
            "tidegate step train --if artifacts/gate/retrain --features artifacts/featurize/features"
            " --batch artifacts/featurize/batch.json --contract contract.yaml --sql features.sql"
            " --estimator model.yaml --model artifacts/train/model.skops"
            " --baselines artifacts/train/baselines.skops --reference artifacts/train/reference"
            " --record artifacts/train/record.json"
        ),
        "deps": [
            "artifacts/featurize/features",
            "artifacts/featurize/batch.json",
            "contract.yaml",
            "features.sql",
            "model.yaml",
            "artifacts/gate/retrain",
            "artifacts/code/train",
        ],
        "params": ["train.window_days"],
        "outs": [
            {"artifacts/train/model.skops": {"persist": True}},
            {"artifacts/train/baselines.skops": {"persist": True}},
            {"artifacts/train/reference": {"persist": True}},
            {"artifacts/train/record.json": {"persist": True}},
        ],
    }
    assert stages["evaluate"]["metrics"] == [{"artifacts/evaluate/metrics.json": {"persist": True}}]
    start = "tidegate step featurize --from window_days=train.window_days --clean"
    assert stages["featurize"]["cmd"].startswith(start)
    assert "${" not in dvc.render(compiled)
    digests = [f"artifacts/code/{name}" for name in stages if name != "code"]
    assert stages["code"] == {
        "cmd": "tidegate code",
        "always_changed": True,
        "outs": [{path: {"cache": False, "persist": True}} for path in digests],
    }
    assert "executor-input" not in str(stages)


def test_what_collect_hands_on_is_a_parameter_of_the_step_that_takes_it(
    problem: Path, compiled: dict[str, Any]
) -> None:
    stage = parse_yaml(dvc.render(compiled), "dvc.yaml")["stages"]["ingest"]
    assert "collect" not in stage["cmd"] and "ingest.until" in stage["params"]
    path = problem / "params.yaml"
    path.write_text(path.read_text().replace("  until:", "  till:"))
    with pytest.raises(InputError, match=r"^pipeline parameter ingest_until: expected ingest\.until in params\.yaml"):
        dvc.render(compiled)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("STRING", {}, "pipeline parameter gate_mode: expected gate.mode in params.yaml, found nothing"),
        ("STRING", None, "pipeline parameter gate_mode: expected gate.mode in params.yaml, found nothing"),
        ("STRING", {"gate": 3}, "pipeline parameter gate_mode: expected gate.mode in params.yaml, found nothing"),
        ("STRING", {"gate": {"mode_": ""}}, "pipeline parameter gate_mode: expected gate.mode in params.yaml"),
        ("STRING", {"gate": {"mode": 3}}, "params.yaml: gate.mode: expected text in quotes, found 3"),
        ("NUMBER_INTEGER", {"gate": {"mode": 3.0}}, "params.yaml: gate.mode: expected a whole number, found 3.0"),
        ("NUMBER_INTEGER", {"gate": {"mode": True}}, "params.yaml: gate.mode: expected a whole number, found True"),
        ("NUMBER_DOUBLE", {"gate": {"mode": "3"}}, "params.yaml: gate.mode: expected a number, found '3'"),
        ("BOOLEAN", {"gate": {"mode": 1}}, "params.yaml: gate.mode: expected true or false, found 1"),
    ],
)
def test_a_parameter_must_be_set(kind: str, parameters: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        dvc._check(Parameter("gate_mode", kind), parameters)
    assert str(error.value).startswith(message)


def test_an_unquoted_date_is_refused(problem: Path, compiled: dict[str, Any]) -> None:
    path = problem / "params.yaml"
    path.write_text(path.read_text().replace('"2013-03-01"', "2013-03-01"))
    with pytest.raises(InputError, match=r"^params\.yaml: ingest\.until: expected text in quotes, found datetime"):
        dvc.render(compiled)
