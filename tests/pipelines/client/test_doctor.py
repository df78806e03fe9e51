"""`tidegate doctor`, and what `submit` refuses: a clone, a registry, a DVC remote, MLflow, Kubeflow, a cluster."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import cluster, code, kubeflow
from tests.pipelines import kubeconfigs, registry_server
from tests.pipelines.kfp_server import KfpServer
from tests.pipelines.programs import dvc, git
from tests.pipelines.registry_server import RegistryServer
from tests.workspaces import Workspace

root = Path(__file__).parents[3]
NAMESPACE = "/api/v1/namespaces/kubeflow"
# What pipelines/cluster.yaml names and a run cannot do without.
objects = ("serviceaccounts/tidegate-run", "secrets/tidegate-data", "secrets/tidegate-mlflow", "configmaps/tidegate")


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """A registry without images."""
    with registry_server.serving() as found:
        yield found


@pytest.fixture
def workspace(
    server: KfpServer, registry: RegistryServer, clone: Path, template_store: Path, tmp_path: Path
) -> Workspace:
    """A clone with the code, committed, where everything that a run needs is as it must be."""
    for name in ("components", "pipelines"):
        shutil.copytree(root / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / code.LOCK, clone)
    declared = clone / "pipelines/cluster.yaml"
    text = declared.read_text()
    assert "repository: tidegate/steps" in text
    declared.write_text(text.replace("repository: tidegate/steps", f"repository: {registry.host}/tidegate/steps"))
    (clone / ".gitignore").write_text("/data\n__pycache__\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Add the code")
    registry.images.add(kubeflow.image_of(cluster.load()))
    server.kubernetes = {f"{NAMESPACE}/{item}": {"kind": "PartialObjectMetadata"} for item in objects}
    (tmp_path / "mlflow.db").write_bytes(template_store.read_bytes())
    found = Workspace(clone)
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
    rows = {row["name"]: (row["state"], row["told"]) for row in json.loads(found.stdout)}
    assert (
        list(rows) == ["code", "image", "data", "namespace", "kubeflow", "mlflow"] and "Traceback" not in found.stderr
    )
    assert found.returncode == any(state == "wrong" for state, _ in rows.values())
    return rows


def test_all_is_well(workspace: Workspace, server: KfpServer, registry: RegistryServer) -> None:
    head = git("rev-parse", "HEAD")
    rows = examined(workspace)
    assert {state for state, _ in rows.values()} == {"ok"}
    assert rows["code"][1] == f"commit {head}"
    assert rows["image"][1] == f"{registry.host}/{kubeflow.image_of(cluster.load())} {registry_server.DIGEST}"
    assert rows["data"][1] == f"data.dvc on {workspace.folder.parent / 'store'}"
    assert rows["namespace"][1].endswith(" in kubeflow")
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
    assert version.display_name == git("rev-parse", "HEAD")


def test_all_is_wrong_and_each_line_has_its_cure(
    workspace: Workspace, server: KfpServer, registry: RegistryServer, tmp_path: Path
) -> None:
    (workspace / "components/gate/decision.py").write_text("# another\n")
    (workspace / "components/new.py").write_text("")
    registry.images.clear()
    shutil.rmtree(tmp_path / "here/store")
    server.kubernetes = {f"{NAMESPACE}/{item}": {"kind": "PartialObjectMetadata"} for item in objects[2:]}
    workspace.environment |= {"KFP_ENDPOINT": "http://127.0.0.1:9", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    rows = examined(workspace)
    assert {state for state, _ in rows.values()} == {"wrong"}
    for name, found, cure in (
        ("code", "components/gate/decision.py and 1 more not in it", "commit it, build and push the image"),
        ("image", "nothing under this tag", "make images"),
        ("data", "no data/ and 1 more", "dvc push data.dvc"),
        ("namespace", "no service account tidegate-run, no secret tidegate-data", "pipelines/cluster.yaml"),
        ("kubeflow", "no connection", "kubectl port-forward"),
        ("mlflow", "no connection", "MLFLOW_TRACKING_URI"),
    ):
        assert found in rows[name][1] and cure in rows[name][1].partition(found)[2], rows[name]


def test_what_cannot_be_looked_at_is_said_and_hinders_nothing(workspace: Workspace, server: KfpServer) -> None:
    server.kubernetes[f"{NAMESPACE}/secrets/tidegate-data"] = None
    state, told = examined(workspace)["namespace"]
    assert (state, told) == ("not checked", "no right to see secret tidegate-data in namespace kubeflow")
    workspace.environment["KUBECONFIG"] = os.devnull
    assert examined(workspace)["namespace"] == ("not checked", "no kubeconfig")
    del workspace.environment["MLFLOW_TRACKING_URI"]
    workspace.tidegate("submit")  # whoever waits for no table needs no MLflow here
    assert len(server.kubeflow.runs) == 1
    assert "expected the MLflow server of the cluster, found nothing" in examined(workspace)["mlflow"][1]


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
    shutil.rmtree(workspace / ".git")
    workspace.environment["GIT_CEILING_DIRECTORIES"] = str(workspace.folder.parent)
    rows = examined(workspace)
    state, told = rows["code"]
    assert state == "wrong" and "a git repository" in told
    assert rows["image"][0] == "ok"  # is known by its contents
