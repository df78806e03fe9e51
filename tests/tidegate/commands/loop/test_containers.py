"""Where a step runs instead of here: the command for Docker, what it is told, and what stops it before it begins."""

import os
import subprocess
import sys
from contextlib import chdir
from itertools import pairwise
from pathlib import Path

import pytest

from tests.images import base_tag
from tidegate.commands.loop import containers
from tidegate.process import code
from tidegate.process.errors import InputError

step = ["step", "ingest", "--data", "data"]
told = {"TIDEGATE_IMAGE": "steps:1", "TIDEGATE_RUN": "run-1"}


def flags(command: list[str], flag: str) -> list[str]:
    """The values of a flag that may be given several times."""
    return [value for name, value in pairwise(command) if name == flag]


def command(folder: Path, **environment: str) -> list[str]:
    with chdir(folder):
        return containers.docker_run(step, {**told, **environment}, folder, "7:8")


def test_a_step_runs_as_its_user_in_its_folder_with_nothing_else_to_write_to(tmp_path: Path) -> None:
    found = command(tmp_path)
    assert found[:2] == ["docker", "run"] and found[-6:] == ["steps:1", "tidegate", *step]
    assert flags(found, "--user") == ["7:8"] and flags(found, "--workdir") == [str(tmp_path)]
    assert flags(found, "--mount") == ["type=volume,target=/tmp", f"type=bind,source={tmp_path},target={tmp_path}"]
    assert {"--read-only", "--rm", "--init"} < set(found) and flags(found, "--cap-drop") == ["ALL"]


def test_secrets_are_named_and_not_shown(tmp_path: Path) -> None:
    environment = {
        "MLFLOW_TRACKING_PASSWORD": "hush-1",
        "AWS_SECRET_ACCESS_KEY": "hush-2",
        "https_proxy": "http://user:hush-3@proxy",
        "DVC_STAGE": "ingest",
        "TIDEGATE_USER": "Ada",
        "TIDEGATE_COMMIT": "of this machine",
        "HOME": "/home/ada",
        "PYTHONPATH": "/home/ada/code",
    }
    found = command(tmp_path, **environment)
    assert "hush" not in " ".join(found)
    assert flags(found, "--env") == [
        "TIDEGATE_LIFELINE=stdin",
        "AWS_SECRET_ACCESS_KEY",
        "DVC_STAGE",
        "MLFLOW_TRACKING_PASSWORD",
        "TIDEGATE_IMAGE",
        "TIDEGATE_RUN",
        "TIDEGATE_USER",
        "https_proxy",
    ]


@pytest.mark.parametrize(
    ("uri", "network"),
    [("", "none"), ("sqlite:///mlflow.db", "none"), ("http://localhost:5000", "host"), ("https://x.org", "host")],
)
def test_only_a_server_needs_a_network(tmp_path: Path, uri: str, network: str) -> None:
    assert flags(command(tmp_path, MLFLOW_TRACKING_URI=uri), "--network") == [network]


def test_a_store_outside_of_the_workspace_comes_with_its_artifacts(tmp_path: Path) -> None:
    workspace, store, linked = tmp_path / "workspace", tmp_path / "store", tmp_path / "linked"
    for folder in (workspace, store):
        folder.mkdir()
    assert containers.mounted({"MLFLOW_TRACKING_URI": f"sqlite:///{workspace}/deep/mlflow.db"}, workspace) == [
        workspace
    ]
    assert containers.mounted({"MLFLOW_TRACKING_URI": f"sqlite:///{store}/mlflow.db"}, workspace) == [workspace, store]
    linked.symlink_to(store)
    found = containers.mounted({"MLFLOW_TRACKING_URI": f"sqlite:///{linked}/mlflow.db"}, workspace)
    assert found == [workspace, linked, store]


def test_a_certificate_comes_along_and_cannot_be_changed(tmp_path: Path) -> None:
    certificate, workspace = tmp_path / "ca.pem", tmp_path / "workspace"
    certificate.touch()
    workspace.mkdir()
    names = {"MLFLOW_TRACKING_SERVER_CERT_PATH": str(certificate), "AWS_CA_BUNDLE": "/not/there"}
    found = flags(command(workspace, **names), "--mount")
    assert found[2:] == [f"type=bind,source={certificate},target={certificate},readonly"]


def test_what_is_no_step_runs_here_and_a_step_in_a_container(tmp_path: Path) -> None:
    """`tidegate` as the stages see it, and a `docker` that writes down how it was called."""
    program = tmp_path / "docker"
    program.write_text('#!/bin/sh\necho docker "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}/bin", **told}

    def said(*words: str) -> str:
        call = [sys.executable, "-m", "tidegate.commands.loop.containers", *words]
        return subprocess.run(call, env=environment, capture_output=True, text=True, check=True).stdout

    done = said(*step)
    assert done.startswith("docker run ") and done.endswith(f"steps:1 tidegate {' '.join(step)}\n")
    assert said("--version").startswith("tidegate ")


def test_in_a_folder_of_any_name_files_belong_to_whom_they_should(image: str, tmp_path: Path) -> None:
    folder = tmp_path / 'a, "b": c=d'
    folder.mkdir()
    user = 4242 if os.getuid() == 0 else os.getuid()
    os.chown(folder, user, -1)
    run = containers.docker_run(["code"], {**told, "TIDEGATE_IMAGE": image}, folder, f"{user}:{os.getgid()}")
    subprocess.run(run, check=True, stdin=subprocess.DEVNULL)
    made = folder / "artifacts/code/gate"
    assert made.read_text() == code.digest("gate")
    assert made.stat().st_uid == user


def test_an_image_of_this_code_may_be_used(image: str) -> None:
    containers.check_image(image)


def refused(image: str) -> str:
    """The error that an image meets."""
    with pytest.raises(InputError) as caught:
        containers.check_image(image)
    return str(caught.value)


def test_an_image_of_other_code_is_refused(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = code.digest
    monkeypatch.setattr(code, "digest", lambda step: "changed" if step == "gate" else digest(step))
    expected = "expected the code that runs here, found another digest; run `make images`"
    assert refused(image) == f"step gate in the image {image}: {expected}"


def test_another_image_is_refused(image: str) -> None:
    assert (
        refused(base_tag) == f"image {base_tag}: expected an image of the steps, found another one; run `make images`"
    )


def test_an_image_that_is_not_there_is_told(engine_of_containers: None) -> None:
    cure = "run `make images`, or `docker pull` it"
    assert refused("nobody/nothing:1") == f"image nobody/nothing:1: expected it on this machine, found none; {cure}"


def test_an_engine_that_does_not_run_is_told(
    engine_of_containers: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    found = refused("steps:1")
    assert found.startswith(
        "docker: expected an engine that runs containers, found Cannot connect to the Docker daemon"
    )
    assert found.endswith("; start it, or see `docker info`") and "\n" not in found


def test_without_docker_there_is_another_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cure = "install Docker, or run without --in-containers"
    assert refused("steps:1") == f"docker: expected a program on the PATH, found nothing; {cure}"
