"""The wiring of the pipeline that judges what the champion was asked, and what it compiles to."""

from pathlib import Path
from typing import Any

import pytest

from tidegate.pipelines import kubeflow
from tidegate.pipelines.monitoring import OWN
from tidegate.process import code
from tidegate.process.errors import InputError

Tasks = dict[str, Any]


@pytest.fixture
def settings(root: Path, tmp_path: Path) -> Path:
    """The cluster.yaml of the sample with a section for the step."""
    path = tmp_path / "cluster.yaml"
    text = (root / "cluster.yaml").read_text()
    path.write_text(text.replace("\nsteps:\n", "\nsteps:\n  monitor:\n    uses: [mlflow, data, endpoint]\n"))
    return path


def compiled(settings: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    return kubeflow.parts(kubeflow.compile("example.org/steps:1", settings, "monitoring"))


def group(ir: dict[str, Any], tasks: Tasks) -> tuple[Tasks, Tasks]:
    """The only group among tasks, and the tasks in it."""
    (task,) = (task for task in tasks.values() if "triggerPolicy" in task)
    return task, ir["components"][task["componentRef"]["name"]]["dag"]["tasks"]


def test_the_whole_training_pipeline_follows_where_the_gate_opens(settings: Path) -> None:
    ir, _ = compiled(settings)
    tasks = ir["root"]["dag"]["tasks"]
    opened, training = group(ir, tasks)
    assert len(tasks) == 2 and tasks["monitor"]["cachingOptions"] == {}
    condition = "inputs.parameter_values['pipelinechannel--monitor-retrain'] == true"
    assert opened["triggerPolicy"]["condition"] == condition
    retrain, rest = group(ir, training)
    assert {*training, *rest} - {retrain["componentRef"]["name"].removeprefix("comp-")} == {*code.STEPS}
    assert {*rest} == {"train", "evaluate", "deploy"}


def test_training_is_given_what_its_own_pipeline_is(settings: Path) -> None:
    ir, _ = compiled(settings)
    _, training = group(ir, ir["root"]["dag"]["tasks"])
    own = kubeflow.parts(kubeflow.compile("example.org/steps:1", settings))[0]
    for name in ("collect", "pull", "gate"):
        ports = training[name]["inputs"]["parameters"]
        expected = own["root"]["dag"]["tasks"][name]["inputs"]["parameters"]
        assert ports.keys() == expected.keys()
        for port, source in expected.items():
            if "componentInputParameter" in source:
                assert ports[port]["componentInputParameter"].endswith(source["componentInputParameter"]), port
            else:
                assert ports[port] == source
    parameters = own["root"]["inputDefinitions"]["parameters"]
    assert ir["root"]["inputDefinitions"]["parameters"].keys() == {*parameters, *OWN}


def test_both_ask_the_gate_the_same(settings: Path) -> None:
    ir, _ = compiled(settings)
    given = ir["root"]["dag"]["tasks"]["monitor"]["inputs"]["parameters"]
    sources = {port: source["componentInputParameter"] for port, source in given.items() if port != "until"}
    names = {"name": "monitor_name", "window": "monitor_window", "recordings": "serve_record", "sign": "deploy_sign"}
    others = {port: f"gate_{port}" for port in sources.keys() - names.keys() - {"tables"}}
    assert sources == {**names, "tables": "serve_tables", **others} and "decay" in others
    assert given["until"]["runtimeValue"]["constant"] == ""


def test_its_pods_are_those_of_the_other_steps(settings: Path) -> None:
    ir, platform = compiled(settings)
    assert {each["container"]["image"] for each in ir["deploymentSpec"]["executors"].values()} == {
        "example.org/steps:1"
    }
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert {pod["securityContext"]["runAsUser"] for pod in pods.values()} == {"10001"} and len(pods) == 10


def test_steps_are_fused_within_the_condition(settings: Path) -> None:
    settings.write_text(settings.read_text().replace("fuse: []", "fuse: [[ingest, validate, featurize]]"))
    ir, _ = compiled(settings)
    _, training = group(ir, ir["root"]["dag"]["tasks"])
    assert "ingest-validate-featurize" in training and "ingest" not in training


def test_it_needs_a_section_and_the_others_do_not_mind_it(settings: Path, root: Path) -> None:
    assert "tidegate-training" in kubeflow.compile("example.org/steps:1", settings)
    with pytest.raises(InputError, match="expected a section for the step monitor, found none; add one"):
        kubeflow.compile("example.org/steps:1", root / "cluster.yaml", "monitoring")
