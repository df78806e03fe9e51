"""MLflow as its Deployment starts it, with a real Postgres and an S3 server: who gets in, and what it needs."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import boto3
import psutil
import pytest
from kubernetes.utils import parse_quantity

from tests.durations import HANGING
from tests.k8s.manifests import ROOT, Object, containers, of_kind, one
from tests.k8s.servers import free_port, postgres, wait_for

FILES = str(ROOT / "k8s/base/servers")
RUN, ADMIN, OLD = ("tidegate", "of all the tasks"), ("admin", "of the administrator"), "before it was changed"
READER = ("predictor", "of the server of predictions")
SECRETS = {
    "mlflow": {
        "PGPASSWORD": "of the database",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the cookies",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "of the bucket",
    },
    "mlflow-users": {
        "MLFLOW_ADMIN_PASSWORD": ADMIN[1],
        "MLFLOW_RUN_PASSWORD": RUN[1],
        "MLFLOW_PREDICTOR_PASSWORD": READER[1],
    },
}
SERVICE = "mlflow.tidegate.svc:5000"
EXPERIMENTS = "/api/2.0/mlflow/experiments"


class Pod:
    """MLflow's pod on this machine: what the kubelet would start, with the stores `elsewhere`."""

    def __init__(self, elsewhere: Mapping[str, str], folder: Path) -> None:
        self.elsewhere, self.folder, self.port = elsewhere, folder, 0
        self.preparing, self.serving = containers(one("local", "Deployment", "mlflow")["spec"]["template"])

    def start(self, container: Object, **changed: str) -> subprocess.Popen[bytes]:
        """Start one of its containers, which may write to its folder only."""
        words = [*container["command"], *container.get("args", [])]
        here = {"python": sys.executable, "--host=0.0.0.0": "--host=127.0.0.1", "--port=5000": f"--port={self.port}"}
        words = [here.get(word, word).replace("/etc/mlflow", FILES) for word in words]
        return subprocess.Popen(words, env={**self._environment(container), **changed}, cwd=self.folder)

    def ask(self, path: str, host: str = SERVICE, user: tuple[str, str] | None = None, **body: str) -> int:
        """The status of an answer."""
        headers = {"Host": host, "Content-Type": "application/json"}
        if user:
            headers["Authorization"] = f"Basic {b64encode(':'.join(user).encode()).decode()}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def _environment(self, container: Object) -> dict[str, str]:
        maps = {item["metadata"]["name"]: item["data"] for item in of_kind("local", "ConfigMap")}
        found = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        for source in container["envFrom"]:
            for kind, known in (("configMapRef", maps), ("secretRef", SECRETS)):
                found |= known[source[kind]["name"]] if kind in source else {}
        found |= {entry["name"]: entry["value"].replace("/etc/mlflow", FILES) for entry in container["env"]}
        return {**found, **self.elsewhere}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    """A pod whose stores are there, prepared by two replicas at once, then with another password."""
    with postgres("mlflow", SECRETS["mlflow"]["PGPASSWORD"]) as database:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        moto = subprocess.Popen(
            [Path(sys.executable).with_name("moto_server"), f"-p{port}"], stderr=subprocess.DEVNULL
        )
        wait_for(f"{url}/moto-api/", moto)
        boto3.client(
            "s3", "us-east-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b"
        ).create_bucket(Bucket="mlflow")
        elsewhere = {"PGHOST": "127.0.0.1", "PGPORT": str(database), "MLFLOW_S3_ENDPOINT_URL": url}
        found = Pod(elsewhere, tmp_path_factory.mktemp("pod"))
        replicas = [found.start(found.preparing, MLFLOW_RUN_PASSWORD=OLD) for _ in range(2)]
        assert [process.wait() for process in replicas] == [0, 0]
        assert found.start(found.preparing).wait() == 0
        yield found
        moto.terminate()
        moto.wait()


@pytest.fixture(scope="module")
def server(pod: Pod) -> Iterator[psutil.Process]:
    """The server, once it answers; it ends in time when it is told to."""
    pod.port = free_port()
    process = pod.start(pod.serving)
    wait_for(f"http://127.0.0.1:{pod.port}/health", process)
    yield psutil.Process(process.pid)
    process.terminate()
    process.wait(timeout=HANGING)


def test_probes_need_no_password_and_no_name(pod: Pod, server: psutil.Process) -> None:
    probes = [pod.serving[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert [pod.ask(path, host="10.244.0.7:5000") for path in probes] == [200, 200, 200]


@pytest.mark.parametrize(
    ("host", "status"),
    [(SERVICE, 200), ("mlflow.tidegate.svc.cluster.local:5000", 200), ("localhost:5000", 200), ("evil.example", 403)],
)
def test_it_answers_to_its_names(pod: Pod, server: psutil.Process, host: str, status: int) -> None:
    assert pod.ask(f"{EXPERIMENTS}/search?max_results=1", host=host, user=RUN) == status


def test_nobody_gets_in_without_a_password(pod: Pod, server: psutil.Process) -> None:
    for user in (None, ("admin", "password"), ("tidegate", ADMIN[1]), ("tidegate", OLD)):
        assert pod.ask(f"{EXPERIMENTS}/search?max_results=1", user=user) == 401


def test_what_a_user_makes_is_hers_alone(pod: Pod, server: psutil.Process) -> None:
    assert pod.ask(f"{EXPERIMENTS}/create", user=RUN, name="hers") == 200
    assert pod.ask("/api/2.0/mlflow/users/create", user=RUN, username="eve", password="of an intruder") == 403
    assert pod.ask("/api/2.0/mlflow/users/create", user=ADMIN, username="eve", password="of an intruder") == 200
    eve = ("eve", "of an intruder")
    by_name = f"{EXPERIMENTS}/get-by-name?experiment_name=hers"
    assert [pod.ask(by_name, user=user) for user in (RUN, ADMIN, eve)] == [200, 200, 403]


def test_the_predictor_reads_everything_and_changes_nothing(pod: Pod, server: psutil.Process) -> None:
    models = "/api/2.0/mlflow/registered-models"
    assert pod.ask(f"{models}/create", user=RUN, name="served") == 200
    assert pod.ask(f"{models}/get?name=served", user=READER) == 200
    assert pod.ask(f"{models}/set-tag", user=READER, name="served", key="a", value="b") == 403
    assert pod.ask(f"{models}/alias", user=READER, name="served", alias="champion", version="1") == 403


def test_artifacts_go_through_it_into_the_bucket(pod: Pod, server: psutil.Process, call: Callable[..., str]) -> None:
    code = """
import mlflow
from tidegate.tracking import store
client = store.connect()
with mlflow.start_run(experiment_id=client.create_experiment("artifacts")) as run:
    mlflow.log_text("of 1000 flights", "report.txt")
client.create_registered_model("flights")
version = client.create_model_version("flights", run.info.artifact_uri, run.info.run_id).version
client.set_registered_model_alias("flights", "champion", version)
print(run.info.artifact_uri.partition(":")[0], mlflow.artifacts.load_text(run.info.artifact_uri + "/report.txt"))
"""
    variables = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{pod.port}"}
    variables |= {"MLFLOW_TRACKING_USERNAME": RUN[0], "MLFLOW_TRACKING_PASSWORD": RUN[1]}
    assert call(code, **variables).splitlines()[-1] == "mlflow-artifacts of 1000 flights"
    bucket = boto3.resource(
        "s3",
        "us-east-1",
        endpoint_url=pod.elsewhere["MLFLOW_S3_ENDPOINT_URL"],
        aws_access_key_id="a",
        aws_secret_access_key="b",
    ).Bucket("mlflow")
    assert [item.key.rpartition("/")[2] for item in bucket.objects.all()] == ["report.txt"]


def test_it_is_as_small_as_its_limits_say(pod: Pod, server: psutil.Process) -> None:
    processes = [server, *server.children(recursive=True)]
    assert len(processes) == 2
    memory = sum(process.memory_info().rss for process in processes)
    assert memory < 0.8 * int(parse_quantity(pod.serving["resources"]["limits"]["memory"]))


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., str]:
    """Runs Python code as a client of the server would; returns what it prints."""

    def run(code: str, **variables: str) -> str:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **variables}
        words = [sys.executable, "-c", code]
        found = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr
        return found.stdout.strip()

    return run
