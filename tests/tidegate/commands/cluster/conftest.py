"""A Kubeflow to talk to, and a clone from which a person does: committed, with its data on a DVC remote."""

import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kfp
import pytest
from kubernetes.config import kube_config

from tests.programs import dvc, git
from tests.tidegate.commands.cluster.kfp_server import KfpServer, serving
from tests.workspaces import fork_servers, forked_programs
from tests.worlds import once
from tidegate.commands import cli
from tidegate.pipelines import cluster, kubeflow
from tidegate.process import code, limits

root = Path(__file__).parents[4]
# What a run takes from the working directory; the pipeline itself is the code that this process has imported.
files = ("contract.yaml", "features.sql", "model.yaml", "params.yaml", "cluster.yaml", ".dvc/config")
ours = ("KFP_", "KF_PIPELINES_", "MLFLOW_", "TIDEGATE_", "KUBE", "DOCKER_", "GIT_")

compile_pipeline, read_parts, read_ir, digest = kubeflow.compile, kubeflow.parts, kubeflow.ir, cache(code.digest)


@cache
def _compiled(image: str | None, settings: Path, name: str, _: bytes) -> str:
    return compile_pipeline(image, settings, name)


@cache
def _pickled(text: str | None) -> bytes:
    return pickle.dumps(read_ir() if text is None else read_parts(text))


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most commands compile the pipeline, which takes a second: the same settings give the same text.

    That they do is for tests/pipelines to show, where nothing is remembered.
    """

    def compile(image: str | None = None, settings: Path = cluster.PATH, name: str = "training") -> str:
        return _compiled(image, settings, name, settings.read_bytes() if settings.is_file() else b"")

    def ir(*pipeline: Any) -> dict[str, Any]:
        return read_ir(*pipeline) if pipeline else pickle.loads(_pickled(None))

    monkeypatch.setattr(kubeflow, "compile", compile)
    monkeypatch.setattr(kubeflow, "parts", lambda text: pickle.loads(_pickled(text)))
    monkeypatch.setattr(kubeflow, "ir", ir)
    monkeypatch.setattr(code, "digest", digest)


@pytest.fixture
def server(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KfpServer]:
    """Kubeflow Pipelines for one person, as KFP_ENDPOINT."""
    with serving() as found:
        monkeypatch.setenv("KFP_ENDPOINT", found.url)
        yield found


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit and some data, pushed to the DVC remote beside it."""
    return once(tmp_path_factory, "clone", _pushed) / "clone"


def _pushed(beside: Path) -> None:
    folder = beside / "clone"
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((root / name).read_text())
    (folder / ".gitignore").write_text("/data\n")
    (folder / "data").mkdir()
    (folder / "data/planes.csv").write_text("tailnum\nN10156\n")
    git("init", "--quiet", folder=folder)
    dvc("remote", "add", "--quiet", "--default", "store", "../store", folder=folder)
    dvc("add", "--quiet", "data", folder=folder)
    dvc("push", "--quiet", folder=folder)
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", "Begin", folder=folder)


@pytest.fixture
def clone(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the template, and of its remote, as working directory; no credentials of this machine."""
    shutil.copytree(template.parent, tmp_path / "here", symlinks=True)
    for name in [name for name in os.environ if name.startswith(ours) or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "no-kubeconfig"))
    monkeypatch.setattr(kfp.Client, "_LOCAL_KFP_CONTEXT", str(tmp_path / "no-context"))
    monkeypatch.setattr(limits, "POLL_SECONDS", 0.01)
    monkeypatch.chdir(tmp_path / "here/clone")
    for name, value in fork_servers().items():
        monkeypatch.setenv(name, value)
    with forked_programs():
        yield tmp_path / "here/clone"


PREDICT = """
predict:
  source: s3://asked/flights/
  target: s3://answered/flights/
  tables: s3://clean/flights/
  skip_bad: true
  schedule: {cron: "0 30 6 * * *", catchup: false, concurrency: 1}
"""
PARAMETERS = {
    "name": "flights",
    "source": "s3://asked/flights/",
    "target": "s3://answered/flights/",
    "tables": "s3://clean/flights/",
    "version": "",
    "skip_bad": True,
    "unknown": "accept",
    "sign": "",
}


@pytest.fixture
def predicting(clone: Path) -> Path:
    """The cluster.yaml of a problem that also predicts on the cluster."""
    path = clone / "cluster.yaml"
    section = "\nsteps:\n  predict: {uses: [mlflow, data, endpoint]}\n"
    path.write_text(path.read_text().replace("\nsteps:\n", section) + PREDICT)
    git("commit", "--quiet", "--all", "--message", "Predict", folder=clone)
    return path


@pytest.fixture
def tidegate(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `tidegate` in this process: its exit code, and what it said on both streams."""

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            cli.main(list(words))
            code: int | str | None = 0
        except SystemExit as stopped:
            code = stopped.code
        said = capsys.readouterr()
        return int(code or 0), said.out, said.err

    return run
