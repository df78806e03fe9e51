"""The wiring of the pipeline that predicts, and what it compiles to."""

from pathlib import Path
from typing import Any

import pytest

from tidegate.commands import cli
from tidegate.pipelines import kubeflow
from tidegate.pipelines.predicting import predicting
from tidegate.process import code
from tidegate.process.errors import InputError


@pytest.fixture
def settings(root: Path, tmp_path: Path) -> Path:
    """The cluster.yaml of the sample with a section for the step."""
    path = tmp_path / "cluster.yaml"
    text = (root / "cluster.yaml").read_text()
    path.write_text(text.replace("\nsteps:\n", "\nsteps:\n  predict:\n    uses: [mlflow, data, endpoint]\n"))
    return path


def test_one_step_that_is_never_cached(settings: Path) -> None:
    ir, platform = kubeflow.parts(kubeflow.compile("example.org/steps:1", settings, "predicting"))
    assert ir["pipelineInfo"]["name"] == "tidegate-predicting"
    tasks: dict[str, Any] = ir["root"]["dag"]["tasks"]
    assert [*tasks] == ["predict"] and not tasks["predict"]["cachingOptions"]
    given = tasks["predict"]["inputs"]["parameters"]
    assert "create_time" in given["moment"]["runtimeValue"]["constant"]
    assert {name for name, port in given.items() if "componentInputParameter" in port} == given.keys() - {"moment"}
    (executor,) = ir["deploymentSpec"]["executors"].values()
    assert executor["container"]["image"] == "example.org/steps:1"
    (kubernetes,) = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    assert kubernetes["securityContext"]["runAsUser"] == "10001"


def test_it_needs_a_section_and_the_training_does_not_mind_it(
    settings: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "tidegate-training" in kubeflow.compile("example.org/steps:1", settings)
    with pytest.raises(InputError, match="expected a section for the step predict, found none; add one"):
        kubeflow.compile("example.org/steps:1", root / "cluster.yaml", "predicting")
    monkeypatch.chdir(tmp_path)
    cli.main(["compile", "--pipeline", "predicting", "--output", "out.yaml", "--image", "example.org/steps:1"])
    assert (tmp_path / "out.yaml").read_text() == kubeflow.compile("example.org/steps:1", settings, "predicting")


def test_it_is_no_stage_of_the_loop() -> None:
    assert predicting.name not in code.STEPS and not {*code.STEPS} & {*code.BESIDE}
