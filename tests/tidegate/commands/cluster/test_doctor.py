"""`tidegate doctor`, and what `submit` refuses: a clone, a registry, a DVC remote, MLflow, Kubeflow, a cluster."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import kube_config

from tests.programs import dvc, git
from tests.servers.programs import s3
from tests.tidegate.commands.cluster import kubeconfigs, registry_server
from tests.tidegate.commands.cluster.conftest import PREDICT
from tests.tidegate.commands.cluster.kfp_server import KfpServer
from tests.tidegate.commands.cluster.registry_server import RegistryServer
from tests.workspaces import Workspace
from tidegate.commands.cluster import images
from tidegate.pipelines import cluster, kubeflow

NAMESPACE = "/api/v1/namespaces/kubeflow"
# What cluster.yaml names and a run cannot do without.
objects = ("serviceaccounts/tidegate-run", "secrets/tidegate-data", "secrets/tidegate-mlflow", "configmaps/tidegate")


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """A registry without images."""
    with registry_server.serving() as found:
        yield found


class Here(Workspace):
    """A clone with its own way to a cluster."""

    def tidegate(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        with pytest.MonkeyPatch.context() as patch:  # from KUBECONFIG at the import
            patch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", self.environment["KUBECONFIG"])
            return super().tidegate(*arguments, check=check)


@pytest.fixture
def workspace(server: KfpServer, registry: RegistryServer, clone: Path, migrated: Path, tmp_path: Path) -> Workspace:
    """A clone where everything that a run needs is as it must be."""
    declared = clone / "cluster.yaml"
    text = declared.read_text()
    assert "repository: tidegate/steps" in text
    declared.write_text(text.replace("repository: tidegate/steps", f"repository: {registry.host}/tidegate/steps"))
    git("commit", "--quiet", "--all", "--message", "Name the registry")
    registry.images.add(kubeflow.image_of(cluster.load()).removeprefix(f"{registry.host}/"))
    server.kubernetes = {f"{NAMESPACE}/{item}": {"kind": "PartialObjectMetadata"} for item in objects}
    (tmp_path / "mlflow.db").write_bytes(migrated.read_bytes())
    found = Here(clone)
    found.environment |= {
        "HOME": str(tmp_path / "home"),
        "DOCKER_CONFIG": str(tmp_path),
        "KFP_ENDPOINT": server.url,
        "KUBECONFIG": kubeconfigs.write(tmp_path / "kubeconfig", server.url),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
    }
    return found


def examined(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """What the doctor says, by what was looked at."""
    found = workspace.tidegate("doctor", "--json", check=False)
    rows = {row["name"]: (row["state"], row["message"]) for row in json.loads(found.stdout)}
    assert list(rows) == ["code", "image", "data", "namespace", "rights", "kubeflow", "mlflow"]
    assert "Traceback" not in found.stderr
    assert found.returncode == any(state == "wrong" for state, _ in rows.values())
    return rows


def test_all_is_well(workspace: Workspace, server: KfpServer, registry: RegistryServer) -> None:
    head = git("rev-parse", "HEAD")
    rows = examined(workspace)
    alone = workspace.run("tidegate", "doctor", "--json")
    assert {row["name"]: (row["state"], row["message"]) for row in json.loads(alone.stdout)} == rows
    assert {state for state, _ in rows.values()} == {"ok"}
    assert rows["code"][1] == f"commit {head}"
    assert rows["image"][1] == f"{kubeflow.image_of(cluster.load())} {registry_server.DIGEST}"
    assert rows["data"][1] == f"data.dvc on {workspace.folder.parent / 'store'}"
    assert rows["namespace"][1].endswith(" in kubeflow") and rows["rights"][1].startswith("tidegate-run may get")
    for words in ("service account tidegate-run", "secret tidegate-data", "config map tidegate"):
        assert words in rows["namespace"][1]
    assert server.url in rows["kubeflow"][1] and rows["mlflow"][1].startswith("sqlite:///")
    asked = [item for item in server.received if item.path.startswith(f"{NAMESPACE}/secrets")]
    assert asked and all("PartialObjectMetadata" in item.headers["Accept"] for item in asked)  # never what is in them
    shown = workspace.tidegate("doctor").stdout
    assert [line.split()[:2] for line in shown.splitlines()] == [[name, "ok"] for name in rows]
    assert workspace.tidegate("submit").returncode == 0 and len(server.kubeflow.runs) == 1


def test_a_change_of_the_problem_needs_no_image(workspace: Workspace, server: KfpServer) -> None:
    for name in ("contract.yaml", "features.sql", "model.yaml", "params.yaml"):
        with (workspace / name).open("a") as file:
            file.write("\n")
    assert examined(workspace)["code"][0] == "ok"
    git("commit", "--quiet", "--all", "--message", "Change the problem")
    assert {state for state, _ in examined(workspace).values()} == {"ok"}
    workspace.tidegate("submit")
    (run,), (version,) = server.kubeflow.runs.values(), server.kubeflow.versions.values()
    assert run.runtime_config.parameters["pull_features_sql"].endswith("\n\n")
    assert version.display_name.partition("-")[0] == git("rev-parse", "HEAD")


def test_all_is_wrong_and_each_line_has_its_cure(
    workspace: Workspace, server: KfpServer, registry: RegistryServer, tmp_path: Path
) -> None:
    (workspace / ".git/HEAD").write_text("ref: refs/heads/another\n")
    registry.images.clear()
    shutil.rmtree(tmp_path / "here/store")
    server.kubernetes = {f"{NAMESPACE}/{item}": {"kind": "PartialObjectMetadata"} for item in objects[2:]}
    workspace.environment |= {"KFP_ENDPOINT": "http://127.0.0.1:9", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    server.denied = {("get", "workflows")}
    rows = examined(workspace)
    assert {state for state, _ in rows.values()} == {"wrong"}
    for name, found, cure in (
        ("code", "found none", "commit your work"),
        ("image", "nothing under this tag", "make images"),
        ("data", "no data/ and 1 more", "dvc push data.dvc"),
        ("namespace", "no service account tidegate-run, no secret tidegate-data", "cluster.yaml"),
        ("rights", "found none", "k8s/base/tasks/run.yaml"),
        ("kubeflow", "no connection", "kubectl port-forward"),
        ("mlflow", "no connection", "MLFLOW_TRACKING_URI"),
    ):
        assert found in rows[name][1] and cure in rows[name][1].partition(found)[2], rows[name]


def test_what_cannot_be_looked_at_is_said_and_hinders_nothing(workspace: Workspace, server: KfpServer) -> None:
    server.kubernetes |= {f"{NAMESPACE}/secrets/tidegate-{name}": None for name in ("data", "mlflow")}
    server.denied = {("list", "pods"), ("create", "localsubjectaccessreviews")}
    rows = examined(workspace)
    assert rows["namespace"] == (
        "not checked",
        "no right to get secrets/tidegate-data in namespace kubeflow, "
        "no right to get secrets/tidegate-mlflow in namespace kubeflow",
    )
    assert rows["rights"] == (
        "not checked",
        "no right to list pods, create localsubjectaccessreviews.authorization.k8s.io in namespace kubeflow: "
        "see k8s/base/tasks/submit.yaml",
    )
    workspace.environment["KUBECONFIG"] = os.devnull
    rows = examined(workspace)
    assert rows["namespace"] == rows["rights"] == ("not checked", "no kubeconfig")
    del workspace.environment["MLFLOW_TRACKING_URI"]
    workspace.tidegate("submit")  # whoever waits for no table needs no MLflow here
    assert len(server.kubeflow.runs) == 1
    assert "expected the MLflow server of the cluster, found nothing" in examined(workspace)["mlflow"][1]


def test_what_predicting_needs_is_looked_for_as_well(workspace: Workspace) -> None:
    path = workspace / "cluster.yaml"
    text = path.read_text() + PREDICT
    path.write_text(text)
    state, told = examined(workspace)["namespace"]
    assert state == "wrong" and "cluster.yaml: steps: expected a section for the step predict, found none" in told
    text = text.replace("\nsteps:\n", "\nsteps:\n  predict: {uses: [mlflow, answers]}\n")
    secret = "\nenvironment:\n  answers: {secrets: {answers: {key: AWS_ACCESS_KEY_ID}}}\n"
    path.write_text(text.replace("\nenvironment:\n", secret))
    state, told = examined(workspace)["namespace"]
    assert state == "wrong" and "found no secret answers;" in told


def test_a_thing_that_is_not_there_is_told_beside_one_that_may_not_be_seen(
    workspace: Workspace, server: KfpServer
) -> None:
    server.kubernetes[f"{NAMESPACE}/secrets/tidegate-data"] = None
    del server.kubernetes[f"{NAMESPACE}/{objects[-1]}"]
    state, told = examined(workspace)["namespace"]
    assert state == "wrong" and "no config map tidegate" in told


def node(name: str, images: list[str], **spec: Any) -> dict[str, Any]:
    """A node with these images."""
    told = [{"names": [image], "sizeBytes": 1} for image in images]
    return {"metadata": {"name": name}, "spec": spec, "status": {"images": told}}


def loaded(workspace: Workspace, policy: str) -> str:
    """The name by which a node knows the image, in no registry; the problem's own pull policy."""
    path = workspace / "cluster.yaml"
    path.write_text(path.read_text().replace("pull_policy: IfNotPresent", f"pull_policy: {policy}"))
    git("commit", "--allow-empty", "--quiet", "--all", "--message", "Pull otherwise")
    return str(kubeflow.image_of(cluster.load(path)))


@pytest.mark.parametrize("policy", ["IfNotPresent", "Never"])
def test_an_image_that_was_loaded_into_the_nodes_needs_no_registry(
    workspace: Workspace, server: KfpServer, registry: RegistryServer, policy: str
) -> None:
    image = loaded(workspace, policy)
    registry.images.clear()
    registry.received.clear()
    tainted = node("control", [], taints=[{"key": "control-plane", "effect": "NoSchedule"}])
    server.kubernetes["/api/v1/nodes"] = {"items": [node("one", [image]), tainted]}
    end = ", in no registry" if policy == "IfNotPresent" else ""
    assert examined(workspace)["image"] == ("ok", f"{image} on one{end}")
    assert bool(registry.received) == (policy == "IfNotPresent")
    assert workspace.tidegate("submit").returncode == 0 and len(server.kubeflow.runs) == 1
    server.kubernetes["/api/v1/nodes"]["items"].append(node("two", []))
    state, told = examined(workspace)["image"]
    assert state == "wrong" and "none on two" in told and f"kind load docker-image {image}" in told


def test_what_the_nodes_have_may_not_be_known(
    workspace: Workspace, server: KfpServer, registry: RegistryServer
) -> None:
    image = loaded(workspace, "Never")
    server.kubernetes["/api/v1/nodes"] = None
    assert examined(workspace)["image"] == ("not checked", "no right to list nodes in the cluster")
    server.kubernetes["/api/v1/nodes"] = {"items": [node("one", [f"other:{number}" for number in range(50)])]}
    assert examined(workspace)["image"] == ("not checked", "one tells of its 50 largest images only")
    loaded(workspace, "Never")
    path = workspace / "cluster.yaml"
    path.write_text(path.read_text().replace("pull_policy: Never", "pull_policy: Always"))
    registry.images.clear()
    server.kubernetes["/api/v1/nodes"] = {"items": [node("one", [image])]}
    assert "found nothing under this tag" in examined(workspace)["image"][1]  # a pod would ask the registry


@pytest.mark.parametrize(
    ("image", "known"),
    [
        ("steps:1", "docker.io/library/steps:1"),
        ("tidegate/steps:1", "docker.io/tidegate/steps:1"),
        ("ghcr.io/a/steps:1", "ghcr.io/a/steps:1"),
        ("127.0.0.1:5000/steps:1", "127.0.0.1:5000/steps:1"),
    ],
)
def test_an_image_is_known_by_its_whole_name(
    server: KfpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: str, known: str
) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", server.url)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", path)
    server.kubernetes["/api/v1/nodes"] = {"items": [node("one", [known]), node("two", ["another:1"])]}
    assert images.nodes(image, None, 5)[:2] == (["one"], ["two"])


def test_a_bucket_that_is_not_there_is_said_and_made_when_asked(workspace: Workspace) -> None:
    with s3("another") as endpoint:
        dvc("remote", "add", "--quiet", "--local", "--default", "cluster", "s3://data")
        dvc("remote", "modify", "--local", "cluster", "endpointurl", endpoint)
        workspace.environment |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        state, told = examined(workspace)["data"]
        assert state == "wrong" and "found no bucket data" in told
        assert "tidegate doctor --make-bucket" in told and told.endswith("dvc push data.dvc`")
        assert "found no bucket data" in examined(workspace)["data"][1]  # nothing is made unasked
        for line in ("bucket data: made", "bucket data: there already, or not to be seen"):
            found = workspace.tidegate("doctor", "--make-bucket", check=False)
            assert found.stderr.splitlines()[0] == line
        assert "no data/" in examined(workspace)["data"][1]
        workspace.run("dvc", "push", "--quiet", "data.dvc")
        assert examined(workspace)["data"][0] == "ok"


def test_only_a_bucket_can_be_made(workspace: Workspace) -> None:
    found = workspace.tidegate("doctor", "--make-bucket", check=False)
    assert found.returncode == 2 and "--make-bucket: expected a DVC remote on S3, found " in found.stderr


def test_submit_and_schedule_refuse_what_would_fail_with_every_reason(
    workspace: Workspace, server: KfpServer, registry: RegistryServer
) -> None:
    registry.images.clear()
    del server.kubernetes[f"{NAMESPACE}/{objects[0]}"]
    for command in (["submit"], ["schedule", "apply"]):
        found = workspace.tidegate(*command, check=False)
        lines = found.stderr.splitlines()
        assert found.returncode == 2 and len(lines) == 2, found.stderr
        assert "found nothing under this tag" in lines[0] and "no service account tidegate-run" in lines[1]
        assert server.kubeflow.runs == server.kubeflow.versions == server.kubeflow.recurring == {}
    workspace.tidegate("submit", "--unchecked")
    assert len(server.kubeflow.runs) == 1


@pytest.mark.parametrize("lacking", ["all", "one file", "in the cache either"])
def test_data_that_is_not_on_the_remote(workspace: Workspace, tmp_path: Path, lacking: str) -> None:
    store = tmp_path / "here/store"
    files = [path for path in store.rglob("*") if path.is_file() and path.suffix != ".dir"]
    if lacking == "one file":
        files[0].unlink()
    else:
        shutil.rmtree(store)
    if lacking == "in the cache either":
        shutil.rmtree(workspace / ".dvc/cache")
        shutil.rmtree(workspace / "data")
    state, told = examined(workspace)["data"]
    assert state == "wrong" and "its data on the DVC remote store, found no data/" in told


def test_data_that_is_on_the_remote_only_is_enough(workspace: Workspace) -> None:
    shutil.rmtree(workspace / ".dvc/cache")
    shutil.rmtree(workspace / "data")
    assert examined(workspace)["data"][0] == "ok"


def test_another_remote_by_name_or_by_address(workspace: Workspace, server: KfpServer, tmp_path: Path) -> None:
    dvc("remote", "add", "--quiet", "--local", "other", str(tmp_path / "other"))
    found = workspace.tidegate("doctor", "--json", "--remote", "other", check=False)
    assert {row["name"]: row["state"] for row in json.loads(found.stdout)}["data"] == "wrong"
    dvc("push", "--quiet", "--remote", "other")
    workspace.tidegate("submit", "--remote", "other")
    workspace.tidegate("submit", "--remote", "s3://bucket/data")  # of which DVC here knows nothing
    remotes = [run.runtime_config.parameters["pull_remote"] for run in server.kubeflow.runs.values()]
    assert remotes == [str(tmp_path / "other"), "s3://bucket/data"]


def test_a_broken_remote_is_one_line(workspace: Workspace) -> None:
    dvc("remote", "add", "--quiet", "--local", "--default", "broken", "s3://bucket/data")
    dvc("remote", "modify", "--local", "broken", "endpointurl", "http://127.0.0.1:9")
    workspace.environment |= {"AWS_ACCESS_KEY_ID": "of-ada", "AWS_SECRET_ACCESS_KEY": "secret-of-ada"}
    state, told = examined(workspace)["data"]
    assert state == "wrong" and "expected an answer" in told and "secret" not in told


def test_no_commit_is_told(workspace: Workspace) -> None:
    (workspace / ".git/HEAD").write_text("ref: refs/heads/another\n")
    workspace.environment["GIT_CEILING_DIRECTORIES"] = str(workspace.folder.parent)
    rows = examined(workspace)
    state, told = rows["code"]
    assert state == "wrong" and "a git repository" in told
    assert rows["image"][0] == "ok"  # is known by its contents
