"""`tidegate run --in-containers`: the same loop as without, to the byte; and nothing of it outlives its run."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.images import base, docker
from tests.test_loop import one_line, ran
from tests.test_readme import clone
from tests.workspaces import Workspace, hear_ctrl_c
from tidegate.documents.formats import parse_yaml

root = Path(__file__).parents[1]
blocks = re.findall(r"```sh\n(.*?)```", (root / "docs/images.md").read_text(), re.DOTALL)
page = [line for block in blocks for line in block.splitlines()]
Files = Mapping[str, bytes]


class Turn(NamedTuple):
    """What a turn of the loop left: the stages that ran, and every file that DVC tracks below artifacts/."""

    stages: list[str]
    files: Files


class Pair(NamedTuple):
    """Two workspaces that began alike, and their turns: on this machine, and in containers."""

    here: Workspace
    there: Workspace
    turns: list[tuple[Turn, Turn]]


@pytest.fixture(scope="module")
def pair(new_workspace: Callable[[Path], Workspace], image: str, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The first batch, a second one against its champion, and one that the gate shuts out and a server records."""
    here = new_workspace(tmp_path_factory.mktemp("here") / "workspace")
    there = here.copy(tmp_path_factory.mktemp("there") / "workspace")
    there.environment["TIDEGATE_IMAGE"] = image
    turns = [(turn(here, until), turn(there, until, "--in-containers")) for until in ("2013-03-01", "2013-04-01")]
    for workspace in (here, there):
        text = (workspace / "params.yaml").read_text()
        (workspace / "params.yaml").write_text(text.replace("mode: auto", "mode: never"))
    with server(there) as uri:
        there.environment["MLFLOW_TRACKING_URI"] = uri
        turns.append((turn(here, "2013-05-01"), turn(there, "2013-05-01", "--in-containers")))
        del there.environment["MLFLOW_TRACKING_URI"]
    return Pair(here, there, turns)


def turn(workspace: Workspace, until: str, *flags: str) -> Turn:
    found = workspace.tidegate("run", "--until", until, *flags)
    return Turn(ran(found), tracked(workspace))


def tracked(workspace: Workspace) -> Files:
    """Every file that DVC tracks below artifacts/, by path."""
    stages = parse_yaml((workspace / "dvc.lock").read_text(), "dvc.lock")["stages"].values()
    outputs = [workspace / out["path"] for stage in stages for out in stage["outs"]]
    files = [file for path in outputs for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
    return {file.relative_to(workspace.folder).as_posix(): file.read_bytes() for file in sorted(files)}


@contextmanager
def server(workspace: Workspace) -> Iterator[str]:
    """An MLflow server of this machine over the workspace's store."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    words += ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "mlartifacts"]
    environment = {**workspace.environment, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (
        (workspace.folder.parent / "server.log").open("wb") as log,
        subprocess.Popen(words, cwd=workspace.folder, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(holds: Callable[[], bool]) -> None:
    """Give a slow machine time; a test that waits for ever says nothing."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def test_the_turns_are_a_promotion_a_second_challenger_and_a_shut_gate(pair: Pair) -> None:
    stages = ["ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy"]
    assert [found.stages for both in pair.turns for found in both] == [stages] * 6
    decisions = [json.loads(there.files["artifacts/gate/decision.json"]) for _, there in pair.turns]
    assert [found["champion"] for found in decisions] == [None, "1", "1"]
    assert [found["retrain"] for found in decisions] == [True, True, False]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_tables_decision_verdict_and_model_are_the_same_bytes(pair: Pair, index: int) -> None:
    here, there = (found.files for found in pair.turns[index])
    pages_and_records = {"artifacts/deploy/release.json", "artifacts/train/record.json"}
    compared = [path for path in here if not path.endswith(".html") and path not in pages_and_records]
    assert here.keys() == there.keys()
    assert {"artifacts/gate/decision.json", "artifacts/evaluate/verdict.json"} < set(compared)
    assert "artifacts/train/model.skops" in compared and "artifacts/ingest/tables/flights.parquet" in compared
    assert [path for path in compared if here[path] != there[path]] == []


@pytest.mark.parametrize("index", [0, 1])
def test_the_training_record_differs_in_the_environment_at_most(pair: Pair, index: int) -> None:
    here, there = (json.loads(found.files["artifacts/train/record.json"]) for found in pair.turns[index])
    for record in (here, there):
        del record["environment"], record["packages"], record["checksum"]
    assert here == there


def commit_of(image: str) -> str:
    """The commit that an image says it was built from."""
    label = '{{index .Config.Labels "org.opencontainers.image.revision"}}'
    return docker("image", "inspect", "--format", label, image).stdout.strip()


def test_the_commit_stands_in_no_tracked_file(pair: Pair, image: str) -> None:
    described = pair.here.run("git", "rev-parse", "HEAD").stdout.strip()
    built = commit_of(image).removesuffix("-dirty")
    assert len(described) == len(built) == 40
    holding = [
        path
        for both in pair.turns
        for found in both
        for path, content in found.files.items()
        if described.encode() in content or built.encode() in content
    ]
    assert holding == []


def test_the_registry_names_the_image_s_commit_and_the_user(pair: Pair, image: str) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{pair.there / 'mlflow.db'}"
    commit = MlflowClient(uri, registry_uri=uri).get_model_version("flights", "1").tags["tidegate.commit"]
    assert commit == commit_of(image)
    told = [json.loads(found.tidegate("history", "--json").stdout) for found in (pair.here, pair.there)]
    assert [entry["who"] for entry in told[0]] == [entry["who"] for entry in told[1]] != []


def test_what_containers_wrote_belongs_to_the_user(pair: Pair) -> None:
    owners = {path.lstat().st_uid for path in pair.there.folder.rglob("*")}
    assert owners == {os.getuid()}


def test_without_containers_there_is_then_nothing_to_do(pair: Pair) -> None:
    assert ran(pair.there.tidegate("run")) == []


def test_the_page_s_commands_do_what_they_say(pair: Pair) -> None:
    """With a base that is there, and other names: this machine may have images of its own under the usual ones."""
    name, server = "tidegate/test-page:latest", "tidegate/test-page-serve:latest"
    pair.there.environment |= {"BASE_IMAGE": base(), "FLAGS": "--network host"}
    pair.there.environment |= {"IMAGE": name, "TIDEGATE_IMAGE": name, "SERVER_IMAGE": server}
    clone(pair.there)
    commands = [line.replace("tidegate/steps:latest", name).replace("tidegate/serve:latest", server) for line in page]
    told = [pair.there.run("bash", "-euc", command).stdout for command in commands]
    built, ran_anew, labels, help_of_a_step, help_of_the_server = told
    assert server in built and "--grpc-port" in help_of_the_server
    assert name in built and "nothing to do" in ran_anew and "--minimum_effect" in help_of_a_step
    commit = pair.there.run("git", "rev-parse", "HEAD").stdout.strip()
    assert json.loads(labels)["org.opencontainers.image.revision"] == commit


WAITING = """
stages:
  wait:
    cmd: >-
      tidegate step ingest --data data --contract pipe --until 2013-03-01 --batch_days 28
      --tables tables --manifest manifest.json
    always_changed: true

"""
ENDINGS: dict[str, tuple[str, signal.Signals]] = {
    "SIGTERM to tidegate": ("tidegate", signal.SIGTERM),
    "SIGKILL to tidegate": ("tidegate", signal.SIGKILL),
    "SIGKILL to dvc": ("dvc", signal.SIGKILL),
    "SIGTERM to docker": ("docker", signal.SIGTERM),
    "SIGKILL to docker": ("docker", signal.SIGKILL),
    "Ctrl-C": ("everybody", signal.SIGINT),
}


@pytest.fixture(scope="module")
def waiting(turned_once: Workspace, image: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose only stage that is not up to date waits for a contract that nobody writes."""
    workspace = turned_once.copy(tmp_path_factory.mktemp("waiting") / "workspace")
    workspace.environment["TIDEGATE_IMAGE"] = image
    stages = workspace / "dvc.yaml"
    stages.write_text(stages.read_text().replace("\nstages:\n", WAITING, 1))
    os.mkfifo(workspace / "pipe")
    return workspace


@pytest.mark.parametrize("ending", ENDINGS)
def test_whatever_ends_the_run_its_container_ends_too(waiting: Workspace, ending: str) -> None:
    words = [sys.executable, "-m", "tidegate", "run", "--in-containers"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    alone: dict[str, Any] = {"start_new_session": True, "preexec_fn": hear_ctrl_c}
    with subprocess.Popen(words, cwd=waiting.folder, env=waiting.environment, **quiet, **alone) as run:
        try:
            wait_until(lambda: len(containers(waiting)) == 1)
            whom, how = ENDINGS[ending]
            if whom == "everybody":
                os.killpg(run.pid, how)
            else:
                os.kill(next(process for process in session(run.pid) if whom in words_of(process)), how)
            wait_until(lambda: containers(waiting) == [])
            wait_until(lambda: session(run.pid) == [])
        finally:
            for process in session(run.pid):
                os.kill(process, signal.SIGKILL)
    assert run.returncode != 0


def test_a_container_that_was_made_and_never_started_is_removed(waiting: Workspace, tmp_path: Path) -> None:
    """Docker is killed between the two, a moment that no test meets for certain."""
    program = tmp_path / "docker"
    program.write_text(f"""#!/bin/sh
real={shutil.which("docker")}
case "$*" in "run "*--interactive*) ;; *) exec "$real" "$@" ;; esac
shift
"$real" create "$@" && kill -KILL $$
""")
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{waiting.environment['PATH']}"
    words = [sys.executable, "-m", "tidegate", "run", "--in-containers"]
    environment = {**waiting.environment, "PATH": path}
    done = subprocess.run(words, cwd=waiting.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and re.search(r"^  [0-9a-f]{64}$", done.stderr, re.MULTILINE), done.stderr
    assert containers(waiting) == []


def containers(workspace: Workspace) -> list[str]:
    """The containers of a workspace, whatever their state."""
    return docker("ps", "--all", "--quiet", "--filter", f"volume={workspace.folder}").stdout.split()


def session(leader: int) -> list[int]:
    """The processes that a program started, and those that these started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(number) == leader and state != "Z":
            found.append(int(path.parent.name))
    return sorted(found)


def words_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")


def test_a_changed_step_is_not_run_from_an_older_image(waiting: Workspace, tmp_path: Path) -> None:
    parameters, copied = (waiting / "params.yaml").read_text(), tmp_path / "tidegate"
    shutil.copytree(root / "tidegate", copied, ignore=shutil.ignore_patterns("__pycache__"))
    with (copied / "components/gate/snapshot.py").open("a") as file:
        file.write("# A remark.\n")
    waiting.environment["PYTHONPATH"] = str(tmp_path)
    line = one_line(waiting.tidegate("run", "--until", "2013-06-01", "--in-containers", check=False))
    del waiting.environment["PYTHONPATH"]
    assert line.startswith("error: step gate in the image ") and line.endswith("; run `make images`")
    assert (waiting / "params.yaml").read_text() == parameters
