"""Steps as one task: the same outputs, the edges between all others as they were, and what cannot be is refused."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import components, dsl, kubernetes
from kfp.dsl import Artifact, Input, Output

from tests.pipelines.pods import Cluster, contents
from tests.toy import CONTRACT, MODEL, SCALARS, SQL, World, orders, rates
from tidegate.commands.cluster import objects
from tidegate.documents.formats import read_json
from tidegate.pipelines import cluster, fusion, kubeflow
from tidegate.pipelines.graph import Port, edges, tasks
from tidegate.process.errors import InputError

THREE = "[[ingest, validate, featurize]]"
TEXT = cluster.PATH.read_text()
Compile = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def compile(tmp_path: Path) -> Compile:
    """Compiles with other steps fused, and other changes of `cluster.yaml`; returns both documents."""

    def compiled(fuse: str, *changes: tuple[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        text = TEXT
        for old, new in (("fuse: []", f"fuse: {fuse}"), *changes):
            assert text.count(old) >= 1, old
            text = text.replace(old, new, 1)
        path = tmp_path / "cluster.yaml"
        path.write_text(text)
        return kubeflow.parts(kubeflow.compile("example.org/steps:1", path))

    return compiled


def test_the_edges_lead_to_and_from_the_fused_task(compile: Compile) -> None:
    ir, _ = compile(THREE)
    one = "ingest-validate-featurize"
    assert edges(ir) == {
        "collect": [],
        "pull": ["collect.data_dvc"],
        one: ["collect.until", "pull.contract", "pull.data", "pull.estimator", "pull.sql"],
        "gate": [f"{one}.batch", f"{one}.clean", f"{one}.features", "pull.contract"],
        "train": [
            "gate.retrain",
            f"{one}.batch",
            f"{one}.features",
            "pull.contract",
            "pull.estimator",
            "pull.sql",
        ],
        "evaluate": [
            "gate.retrain",
            f"{one}.batch",
            f"{one}.clean",
            f"{one}.features",
            "pull.contract",
            "train.baselines",
            "train.model",
            "train.record",
        ],
        "deploy": [
            "evaluate.verdict",
            "gate.decision",
            "gate.retrain",
            f"{one}.batch",
            "pull.contract",
            "pull.estimator",
            "pull.sql",
            "train.model",
            "train.record",
            "train.reference",
        ],
    }
    assert [task.name for task in tasks(ir)] == ["collect", "pull", one, "gate", "train", "evaluate", "deploy"]


def test_the_task_has_the_ports_of_all_and_no_step_has_one_of_its_own(compile: Compile) -> None:
    ir, platform = compile(THREE)
    component = ir["components"]["comp-ingest-validate-featurize"]
    assert sorted(component["inputDefinitions"]["artifacts"]) == ["contract", "data", "estimator", "sql"]
    assert sorted(component["inputDefinitions"]["parameters"]) == [
        "batch_days",
        "max_bad_share",
        "publish",
        "until",
        "window_days",
    ]
    outputs = ["batch", "clean", "features", "findings", "manifest", "quarantine", "report", "tables"]
    assert sorted(component["outputDefinitions"]["artifacts"]) == outputs
    assert component["outputDefinitions"]["artifacts"]["report"]["artifactType"]["schemaTitle"] == "system.HTML"
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    labels = {part["executorLabel"] for part in ir["components"].values() if "executorLabel" in part}
    assert labels == ir["deploymentSpec"]["executors"].keys() == executors.keys()
    assert not {"ingest", "validate", "featurize"} & ir["root"]["dag"]["tasks"].keys()


def test_the_pod_has_room_for_the_largest_and_time_for_all(compile: Compile) -> None:
    memory = (
        "  ingest:\n    memory: {request: 700Mi, limit: 3Gi}\n    cpu: {request: 100m, limit: 1500m}\n    timeout: 1h"
    )
    ir, platform = compile(THREE, ("  ingest: {}", memory))
    steps = cluster.load().steps
    found = ir["deploymentSpec"]["executors"]["exec-ingest-validate-featurize"]["container"]["resources"]
    amounts = {key: value for key, value in found.items() if key.startswith("resource")}
    assert amounts == {
        "resourceCpuRequest": "250m",
        "resourceCpuLimit": "1500m",
        "resourceMemoryRequest": "700Mi",
        "resourceMemoryLimit": "3Gi",
    }
    given = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-ingest-validate-featurize"]
    deadline = sum(steps[name].patience for name in ("ingest", "validate", "featurize")) + 3 * 30 * 60
    assert given["activeDeadlineSeconds"] == str(deadline)
    task = ir["root"]["dag"]["tasks"]["ingest-validate-featurize"]
    assert task["retryPolicy"]["maxRetryCount"] == 2
    assert task["retryPolicy"]["backoffMaxDuration"] == f"{3 * deadline + 90}s"


def test_a_step_that_is_not_cached_makes_all_of_them_so(compile: Compile) -> None:
    cached, _ = compile(THREE)
    assert cached["root"]["dag"]["tasks"]["ingest-validate-featurize"]["cachingOptions"] == {"enableCache": True}
    never, _ = compile("[[featurize, gate]]")
    assert never["root"]["dag"]["tasks"]["featurize-gate"]["cachingOptions"] == {}


def test_the_pod_finds_what_each_step_finds(compile: Compile) -> None:
    volumes = ("volumes: {}", "volumes: {keys: {secret: tidegate-keys, at: /keys}}")
    _, platform = compile(THREE, volumes, ("  featurize: {}", "  featurize: {mounts: [keys]}"))
    given = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-ingest-validate-featurize"]
    assert [secret["secretName"] for secret in given["secretAsEnv"]] == ["tidegate-mlflow"]
    assert [secret["secretName"] for secret in given["secretAsVolume"]] == ["tidegate-keys"]
    assert [field["name"] for field in given["fieldPathAsEnv"]] == ["TIDEGATE_KUBEFLOW_RUN"]
    assert given["securityContext"]["runAsNonRoot"] and given["podMetadata"]["labels"]
    assert "secret tidegate-keys" in {str(thing) for thing in objects.needed(platform, "tidegate-run")}


def test_a_condition_waits_for_the_fused_task(compile: Compile) -> None:
    ir, _ = compile("[[featurize, gate], [train, evaluate, deploy]]")
    condition = ir["root"]["dag"]["tasks"]["condition-1"]
    source = condition["inputs"]["parameters"]["pipelinechannel--gate-retrain"]
    assert source == {"taskOutputParameter": {"producerTask": "featurize-gate", "outputParameterKey": "retrain"}}
    assert condition["dependentTasks"] == ["featurize-gate", "pull", "validate"]
    (last,) = ir["components"]["comp-condition-1"]["dag"]["tasks"].values()
    assert "dependentTasks" not in last
    assert tasks(ir)[-1].condition == Port("featurize-gate", "retrain")


def test_kfp_reads_it_and_each_process_writes_the_same_bytes(compile: Compile, tmp_path: Path, root: Path) -> None:
    compile(THREE)
    code = "from pathlib import Path\nimport sys\nfrom tidegate.pipelines import kubeflow\n"
    code += "print(kubeflow.compile('x', Path(sys.argv[1])), end='')"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "cluster.yaml")],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    (text,) = texts
    loaded = components.load_component_from_text(text)
    assert loaded.pipeline_spec.pipeline_info.name == "tidegate-training"
    assert text.startswith("# PIPELINE DEFINITION\n# Name: tidegate-training\n")
    assert kubeflow.compile("x").count("tidegate.process.sequence") == 0


REFUSED = [
    ("[[ingest, featurize]]", "steps with no other between them, found validate between them"),
    ("[[validate, ingest]]", "the order in which they run, found validate before ingest"),
    ("[[gate, train]]", "steps on the same side of the condition, found steps on both sides"),
    ("[[collect, pull]]", "steps that exchange files only, found the value data_dvc from collect"),
    ("[[pull, ingest], [featurize, validate]]", "the order in which they run, found featurize before validate"),
]


@pytest.mark.parametrize(("fuse", "told"), REFUSED)
def test_what_cannot_share_a_pod_is_one_line(compile: Compile, fuse: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        compile(fuse)
    line = str(caught.value)
    assert told in line and "\n" not in line and "cluster.yaml: fuse [" in line


OTHERS = [
    (("  ingest: {}", "  ingest: {node_selector: {pool: big}}"), "the same nodeSelector for all of them"),
    (
        ("  ingest: {}", "  ingest: {tolerations: [{key: dedicated, operator: Exists}]}"),
        "the same tolerations for all of them",
    ),
    (
        ("  ingest: {}", "  ingest: {uses: [other]}"),
        "every variable and every folder from one place, found MLFLOW_TRACKING_USERNAME from two",
    ),
    (
        ("  ingest: {}", "  ingest: {mounts: [a]}\n"),
        "every variable and every folder from one place, found /a from two",
    ),
]


@pytest.mark.parametrize(("change", "told"), OTHERS)
def test_a_pod_is_in_one_place_and_has_everything_once(compile: Compile, change: tuple[str, str], told: str) -> None:
    other = ("environment:\n", "environment:\n  other: {secrets: {another: {name: MLFLOW_TRACKING_USERNAME}}}\n")
    volumes = ("volumes: {}", "volumes: {a: {secret: x, at: /a}, b: {secret: y, at: /a}}")
    with pytest.raises(InputError, match=told):
        compile(THREE, other, volumes, ("  featurize: {}", "  featurize: {mounts: [b]}"), change)


@dsl.container_component
def make(document: Input[Artifact], mode: str, result: Output[Artifact]):  # type: ignore[no-untyped-def]
    words = ["--document", document.path, "--mode", mode, "--result", result.path]
    return dsl.ContainerSpec(image="x", command=["make"], args=words)


@dsl.container_component
def check(document: Input[Artifact], mode: str, results: Output[Artifact]):  # type: ignore[no-untyped-def]
    words = ["--document", document.path, "--mode", mode, "--results", results.path]
    return dsl.ContainerSpec(image="x", command=["check"], args=words)


def test_ports_whose_names_would_clash_begin_with_the_step() -> None:
    @dsl.pipeline(name="test")
    def wiring(make_mode: str) -> None:
        first = dsl.importer(artifact_uri="x", artifact_class=Artifact)
        made = make(document=first.output, mode=make_mode)
        checked = check(document=made.outputs["result"], mode=make_mode)
        for task in (made, checked):
            kubernetes.set_timeout(task, 60)
            task.set_cpu_limit("1")
        last = make(document=checked.outputs["results"], mode=make_mode)
        kubernetes.set_timeout(last, 60)

    ir, platform = fusion.fused(*kubeflow.parts(kubeflow._text(wiring)), [["make", "check"]], "cluster.yaml")
    component = ir["components"]["comp-make-check"]
    assert sorted(component["inputDefinitions"]["artifacts"]) == ["document"]
    assert sorted(component["inputDefinitions"]["parameters"]) == ["mode"]
    assert sorted(component["outputDefinitions"]["artifacts"]) == ["check_results", "make_result"]
    words = ir["deploymentSpec"]["executors"]["exec-make-check"]["container"]["args"]
    assert words == [
        *("make", "--document", "{{$.inputs.artifacts['document'].path}}"),
        *("--mode", "{{$.inputs.parameters['mode']}}", "--result", "{{$.outputs.artifacts['make_result'].path}}"),
        *("check", "--document", "{{$.outputs.artifacts['make_result'].path}}"),
        *("--mode", "{{$.inputs.parameters['mode']}}", "--results", "{{$.outputs.artifacts['check_results'].path}}"),
    ]
    source = ir["root"]["dag"]["tasks"]["make-2"]["inputs"]["artifacts"]["document"]["taskOutputArtifact"]
    assert source == {"producerTask": "make-check", "outputArtifactKey": "check_results"}
    assert list(platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]) == [
        "exec-make-2",
        "exec-make-check",
    ]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The files of a small problem, and a store that is made when it is needed."""
    found = World(tmp_path / "problem")
    found.lay(orders=orders(), rates=rates())
    for name, text in {"contract.yaml": CONTRACT, "features.sql": SQL, "model.yaml": MODEL}.items():
        (found / name).write_text(text)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return found


def cluster_of(world: World, ir: dict[str, Any], folder: Path) -> Cluster:
    folder.mkdir()
    pulled = {Port("pull", port): world.path("pull", port) for port in ("data", "contract", "sql", "estimator")}
    return Cluster(ir, folder, pulled, SCALARS | {"record": ""})


def test_the_fused_task_writes_what_the_steps_write(compile: Compile, world: World, tmp_path: Path) -> None:
    apart = cluster_of(world, compile("[]")[0], tmp_path / "apart")
    apart.run("ingest", "validate", "featurize")
    fused = cluster_of(world, compile(THREE)[0], tmp_path / "fused")
    said = fused.run("ingest-validate-featurize")
    assert said.splitlines()[0] == "step 1 of 3: ingest"
    for step, port in (port for port in apart.outputs if port.task != "pull"):
        there = fused.outputs[Port("ingest-validate-featurize", port)]
        assert contents(there) == contents(apart.outputs[Port(step, port)]), port
    assert len(fused.outputs) == len(apart.outputs) == 4 + 8


def test_a_whole_run_of_fused_tasks_decides_judges_and_promotes(
    compile: Compile, world: World, tmp_path: Path
) -> None:
    before, behind = "ingest-validate-featurize-gate", "train-evaluate-deploy"
    ir, _ = compile("[[ingest, validate, featurize, gate], [train, evaluate, deploy]]")
    run = cluster_of(world, ir, tmp_path / "run")
    run.run(before)
    assert run.outputs[Port(before, "retrain")].read_text() == "true"
    assert run.told(before).keys() == {"signals"}
    run.run(behind)
    assert read_json(run.outputs[Port(behind, "release")])["promoted"]
    assert run.told(behind).keys() == {"metrics", "curves"} and run.told(behind)["metrics"]["accepted"] == 1
