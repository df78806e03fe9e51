"""What a run is given, as Kubeflow reads it: every task against `cluster.yaml`, and against the backend."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl

from tidegate.commands.cluster import objects
from tidegate.pipelines import cluster, kubeflow, steps
from tidegate.pipelines.settings import configured
from tidegate.process import code
from tidegate.process.errors import InputError

TASKS = ["collect", "pull", "ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy"]
MLFLOW = {"MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"}
DATA = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
SECRETS = {
    "collect": DATA,
    "pull": DATA,
    "ingest": set(),
    "validate": MLFLOW,
    "featurize": set(),
    "gate": MLFLOW,
    "train": MLFLOW,
    "evaluate": MLFLOW,
    "deploy": MLFLOW,
}
# All that the backend fills in; it knows no optional and no concatenated ones.
PLACEHOLDER = re.compile(
    r"\{\{\$(\.inputs\.parameters\['\w+'\]|\.(in|out)puts\.artifacts\['\w+'\]\.path"
    r"|\.outputs\.parameters\['\w+'\]\.output_file)?\}\}"
)


@pytest.fixture(scope="module")
def ir() -> dict[str, Any]:
    return kubeflow.parts(kubeflow.compile("example.org/steps:1"))[0]


@pytest.fixture(scope="module")
def platform() -> dict[str, Any]:
    found = kubeflow.parts(kubeflow.compile("example.org/steps:1"))[1]
    return dict(found["platforms"]["kubernetes"]["deploymentSpec"]["executors"])


def task_of(ir: dict[str, Any], name: str) -> dict[str, Any]:
    """The task, wherever it stands."""
    inner = (component.get("dag", {}).get("tasks", {}) for component in ir["components"].values())
    return dict(next(tasks[name] for tasks in (ir["root"]["dag"]["tasks"], *inner) if name in tasks))


def container_of(ir: dict[str, Any], name: str) -> dict[str, Any]:
    return dict(ir["deploymentSpec"]["executors"][f"exec-{name}"]["container"])


def test_every_task_has_settings(ir: dict[str, Any], platform: dict[str, Any]) -> None:
    assert sorted(platform) == sorted(ir["deploymentSpec"]["executors"]) == sorted(f"exec-{name}" for name in TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_no_task_is_root(platform: dict[str, Any], name: str) -> None:
    assert platform[f"exec-{name}"]["securityContext"] == {
        "runAsUser": "10001",
        "runAsGroup": "10001",
        "runAsNonRoot": True,
    }


@pytest.mark.parametrize("name", TASKS)
def test_resources_patience_and_image(ir: dict[str, Any], platform: dict[str, Any], name: str) -> None:
    step = cluster.load().steps[name]
    container, task = container_of(ir, name), task_of(ir, name)
    assert container["image"] == "example.org/steps:1"
    amounts = {
        "resourceCpuRequest": step.cpu["request"],
        "resourceCpuLimit": step.cpu["limit"],
        "resourceMemoryRequest": step.memory["request"],
        "resourceMemoryLimit": step.memory["limit"],
    }
    assert {key: container["resources"][key] for key in amounts} == amounts
    assert task["retryPolicy"] == {
        "maxRetryCount": step.retries.times,
        "backoffDuration": f"{step.retries.wait}s",
        "backoffFactor": 2.0,
        "backoffMaxDuration": f"{step.persistence}s",
    }
    assert platform[f"exec-{name}"]["activeDeadlineSeconds"] == str(step.patience)
    assert container["command"] == [
        *("python", "-m", "tidegate.process.attempts", "--times", str(step.retries.times)),
        *("--wait", str(step.retries.wait), "--timeout", str(step.timeout)),
        *("--", "tidegate", "step", name),
    ]
    assert platform[f"exec-{name}"]["imagePullPolicy"] == "IfNotPresent"
    assert platform[f"exec-{name}"]["podMetadata"]["labels"] == {"app.kubernetes.io/part-of": "tidegate"}


@pytest.mark.parametrize("name", TASKS)
def test_only_steps_without_a_registry_are_cached(ir: dict[str, Any], name: str) -> None:
    cached = name in ("pull", "ingest", "validate", "featurize")
    assert task_of(ir, name)["cachingOptions"] == ({"enableCache": True} if cached else {})


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_the_secrets_it_needs_and_no_other(platform: dict[str, Any], name: str) -> None:
    given = platform[f"exec-{name}"].get("secretAsEnv", [])
    assert {pair["envVar"] for secret in given for pair in secret["keyToEnv"]} == SECRETS[name]
    assert {secret["secretName"] for secret in given} <= {"tidegate-mlflow", "tidegate-data"}


@pytest.mark.parametrize("name", TASKS)
def test_nothing_but_references_and_the_run_is_in_the_environment(
    ir: dict[str, Any], platform: dict[str, Any], name: str
) -> None:
    settings = platform[f"exec-{name}"]
    assert "env" not in container_of(ir, name)
    assert settings["fieldPathAsEnv"] == [
        {"name": "TIDEGATE_KUBEFLOW_RUN", "fieldPath": "metadata.labels['pipeline/runid']"}
    ]
    maps = {pair["envVar"] for given in settings.get("configMapAsEnv", []) for pair in given["keyToEnv"]}
    assert ("TIDEGATE_TRACKING_URI" in maps) == (SECRETS[name] == MLFLOW)
    assert "MLFLOW_TRACKING_URI" not in maps  # which Kubeflow's plugin may give, and a pod takes once


@pytest.mark.parametrize("name", TASKS)
def test_the_backend_fills_in_every_argument(ir: dict[str, Any], name: str) -> None:
    words = container_of(ir, name)["args"]
    assert [word for word in words if "{{" in word and not PLACEHOLDER.fullmatch(word)] == []
    component = ir["components"][f"comp-{name}"]
    inputs, outputs = component.get("inputDefinitions", {}), component["outputDefinitions"]
    parameters, artifacts = inputs.get("parameters", {}), inputs.get("artifacts", {})
    optional = {"isOptional", "defaultValue"}
    assert [port for port, kind in (parameters | artifacts).items() if kind.keys() & optional] == []
    given = task_of(ir, name)["inputs"]
    assert (given.get("parameters", {}).keys(), given.get("artifacts", {}).keys()) == (
        parameters.keys(),
        artifacts.keys(),
    )
    ports = [*artifacts, *outputs.get("artifacts", {})]
    assert [(a, b) for a in ports for b in ports if a != b and b.startswith(a)] == []


def test_no_parameter_of_the_run_has_a_default(ir: dict[str, Any]) -> None:
    parameters = ir["root"]["inputDefinitions"]["parameters"]
    assert parameters
    assert all(set(kind) <= {"parameterType", "description"} for kind in parameters.values())


def test_compiling_gives_the_same_bytes_in_every_process(root: Path) -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-c", "from tidegate.pipelines import kubeflow; print(kubeflow.compile(), end='')"],
            env=os.environ | {"PYTHONHASHSEED": seed, "KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {kubeflow.compile()}
    assert kubeflow.parts(texts.pop())[0]["pipelineInfo"] == {
        "name": "tidegate-training",
        "description": "Continuous training, gated by drift",
    }


def test_the_image_is_that_of_the_code_whatever_the_problem_is(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = kubeflow.image_of(cluster.load())
    assert re.fullmatch(rf"tidegate/steps:{re.escape(version('tidegate'))}-[0-9a-f]{{16}}", here)
    shutil.copytree(root / "tidegate", tmp_path / "tidegate", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "ROOT", tmp_path / "tidegate")
    (tmp_path / "tidegate/components/Dockerfile").write_text("FROM scratch")
    (tmp_path / "tidegate/commands/cli.py").write_text("")
    assert kubeflow.image_of(cluster.load()) == here
    (tmp_path / "tidegate/components/deploy/release.py").write_text("")
    assert kubeflow.image_of(cluster.load()) != here


def test_the_image_of_the_server_is_that_of_its_code_and_of_its_lock(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def image() -> str:
        return kubeflow.server_image_of(cluster.load())

    here = image()
    assert re.fullmatch(rf"tidegate/serve:{re.escape(version('tidegate'))}-[0-9a-f]{{16}}", here)
    shutil.copytree(root / "tidegate", tmp_path / "tidegate", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "ROOT", tmp_path / "tidegate")
    (tmp_path / "tidegate/components/deploy/release.py").write_text("")
    assert image() == here
    monkeypatch.setattr(code, "SERVER_LOCK", tmp_path / "lock")
    (tmp_path / "lock").write_text((root / "requirements-serve.txt").read_text())
    assert image() == here
    (tmp_path / "lock").write_text("kserve==0.0")
    other = image()
    (tmp_path / "tidegate/serving/tensors.py").write_text("")
    assert len({here, other, image()}) == 3


def a_new_step(pull_remote: str) -> None:
    task = steps.pull(data_dvc="", contract_yaml="", features_sql="", model_yaml="", remote=pull_remote)
    task.set_display_name("unused")


def test_a_step_without_a_section_is_refused() -> None:
    given = cluster.load()
    few = cluster.Cluster(**{**vars(given), "steps": {}})
    expected = r"^cluster\.yaml: steps: expected a section for the step pull, found none"
    with pytest.raises(InputError, match=expected):
        dsl.pipeline(configured(a_new_step, few, "x"), name="test")


def test_a_section_without_a_step_is_refused() -> None:
    expected = r"^cluster\.yaml:\d+: steps: expected one of pull, found 'collect'"
    with pytest.raises(InputError, match=expected):
        dsl.pipeline(configured(a_new_step, cluster.load(), "x"), name="test")


@pytest.mark.parametrize(
    ("times", "wait", "timeout", "patience", "persistence"),
    [
        (0, 30, 60, 60, 60),
        (1, 30, 60, 2 * 60 + 30 + 120, 2 * 270 + 30),
        (3, 30, 60, 4 * 60 + 30 + 60 + 120 + 120, 4 * 570 + 210),
    ],
)
def test_a_pod_and_argo_wait_until_the_last_attempt_may_end(
    times: int, wait: int, timeout: int, patience: int, persistence: int
) -> None:
    step = cluster.Step({}, {}, timeout, cluster.Retries(times, wait), {}, (), (), ())
    assert (step.patience, step.persistence) == (patience, persistence)


def test_settings_that_not_every_file_has(tmp_path: Path) -> None:
    text = cluster.PATH.read_text()
    for old, new in {
        "pull_policy: IfNotPresent": "pull_policy: Always\n  pull_secrets: [registry]",
        "  ingest: {}": (
            "  ingest:\n    retries: {times: 0, wait: 1s}\n    node_selector: {pool: big}\n"
            "    tolerations: [{key: dedicated, operator: Equal, value: big, effect: NoSchedule}]"
        ),
    }.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "cluster.yaml").write_text(text)
    first, second = kubeflow.parts(kubeflow.compile("x", tmp_path / "cluster.yaml"))
    settings = second["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-ingest"]
    assert "retryPolicy" not in task_of(first, "ingest")
    assert container_of(first, "ingest")["command"] == ["tidegate", "step", "ingest"]
    assert settings["activeDeadlineSeconds"] == "1800"
    assert settings["nodeSelector"] == {"labels": {"pool": "big"}}
    assert settings["tolerations"] == [
        {"key": "dedicated", "operator": "Equal", "value": "big", "effect": "NoSchedule"}
    ]
    assert [secret["secretName"] for secret in settings["imagePullSecret"]] == ["registry"]
    assert settings["imagePullPolicy"] == "Always"


def test_a_step_finds_its_volumes_as_files(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    volumes = "volumes: {a: {secret: x, at: /a}, b: {config_map: y, at: /b}, c: {claim: z, at: /c}}"
    text = cluster.PATH.read_text().replace("volumes: {}", volumes)
    path.write_text(text.replace("  ingest: {}", "  ingest: {mounts: [a, b, c]}"))
    compiled = kubeflow.parts(kubeflow.compile("example.org/steps:1", path))[1]
    executors = compiled["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    given = executors["exec-ingest"]
    places = {
        "secretAsVolume": ("secretName", "x", "/a"),
        "configMapAsVolume": ("configMapName", "y", "/b"),
        "pvcMount": ("constant", "z", "/c"),
    }
    for section, (key, name, at) in places.items():
        (found,) = given[section]
        assert (found[key], found["mountPath"]) == (name, at)
        assert section not in executors["exec-validate"]
    needed = {str(thing) for thing in objects.needed(compiled, "tidegate-run")}
    assert {"secret x", "config map y", "volume claim z"} <= needed
