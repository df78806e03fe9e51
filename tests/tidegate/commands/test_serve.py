"""`tidegate serve` as a user starts it, asked by clients that nobody here wrote."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import httpx
import numpy as np
import pytest
import tritonclient.http
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

from tests.servers.programs import free_port
from tests.tiers import lacking
from tests.workspaces import Workspace

# What the image of the server does not hold.
ABSENT = {"kfp", "kfp_server_api", "dvc", "dvc_data", "evidently", "matplotlib", "git"}


class Running(NamedTuple):
    """A server: its process, where it listens, and the lines that it has printed."""

    process: "subprocess.Popen[str]"
    port: int
    grpc_port: int
    lines: list[str]


@contextmanager
def serving(workspace: Workspace, *flags: str) -> Iterator[Running]:
    """Run `tidegate serve` until it has said how to ask it; ended by SIGTERM."""
    port, grpc_port = free_port(), free_port()
    words = [sys.executable, "-m", "tidegate", "serve", "--port", str(port), "--grpc-port", str(grpc_port), *flags]
    environment = {**workspace.environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        words, cwd=workspace.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        try:
            while not lines or not lines[-1].startswith("curl "):
                lines.append(process.stdout.readline())
                assert lines[-1], lines
            _wait(port)
            yield Running(process, port, grpc_port, lines)
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            httpx.get(f"http://127.0.0.1:{port}/v2/health/live")
            return
        except httpx.TransportError:
            time.sleep(0.05)


@pytest.fixture(scope="module")
def running(turned_once: Workspace) -> Iterator[Running]:
    """A server right after the first run."""
    with serving(turned_once) as found:
        yield found


def example(running: Running) -> dict[str, Any]:
    """The instance in the line that can be pasted."""
    words = shlex.split(running.lines[-1])
    found: dict[str, Any] = json.loads(words[words.index("-d") + 1])["instances"][0]
    return found


def test_the_line_that_it_prints_can_be_pasted(running: Running) -> None:
    assert running.lines[0] == "version 1 serves\n"
    if not shutil.which("curl"):
        lacking("curl is not installed")
    done = subprocess.run(running.lines[-1], shell=True, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert (answer["model_name"], answer["model_version"]) == ("flights", "1")
    assert 0 < answer["predictions"][0] < 1


def test_the_page_says_what_is_asked_and_answered(running: Running) -> None:
    """The request of the page can be asked here too; the answers have the same form, of fewer rows in the tables."""
    page = (Path(__file__).parents[3] / "docs/serving.md").read_text()
    (command,) = re.findall(r"```sh\n(curl .*?)```", page, re.DOTALL)
    body = json.loads(shlex.split(command)[-1])
    assert body["instances"][0].keys() == example(running).keys()
    answer, explained = re.findall(r"```json\n(\{.*?)```", page, re.DOTALL)
    address = f"http://127.0.0.1:{running.port}/v1/models/flights:predict"
    assert httpx.post(address, json=body).json().keys() == json.loads(answer).keys()
    said = httpx.post(f"{address}?explain=true", json=body).json()
    stated = re.findall(r'"(\w+)": -?[0-9.]+', explained)
    assert {"base", *said["explanations"][0]["contributions"]} >= set(stated)
    assert set(re.findall(r'"(\w+)": [\[{"]', explained)) <= {*said, *said["explanations"][0]}


def test_who_sends_too_much_is_told_so(running: Running) -> None:
    body = b" " * 20_000_000  # a connection that were closed before all is sent would be reset
    request = urllib.request.Request(f"http://127.0.0.1:{running.port}/v1/models/flights:predict", body)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert caught.value.code == 413 and "serve.max_bytes" in caught.value.read().decode()


def test_kserves_own_client(running: Running) -> None:
    event = example(running)
    inputs = [
        InferInput(name, [1], "BYTES" if isinstance(value, str) else "INT64", [value]) for name, value in event.items()
    ]

    async def ask() -> tuple[Any, Any, bool]:
        base = f"http://127.0.0.1:{running.port}"
        v1 = InferenceRESTClient(RESTConfig(protocol="v1"))
        v2 = InferenceRESTClient(RESTConfig(protocol="v2"))
        first = await v1.infer(base, {"instances": [event]}, model_name="flights")
        second = await v2.infer(base, InferRequest("flights", inputs), model_name="flights")
        return first, second, await v2.is_model_ready(base, "flights") and await v2.is_server_ready(base)

    first, second, ready = asyncio.run(ask())
    assert ready
    assert second.outputs[0].data == first["predictions"]


@pytest.mark.parametrize("binary", [True, False])
def test_triton_over_http(running: Running, binary: bool) -> None:
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{running.port}")
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("flights")
    assert client.get_model_metadata("flights")["outputs"][0]["name"] == "prediction"
    inputs = []
    for name, array, datatype in arrays(running):
        tensor = tritonclient.http.InferInput(name, array.shape, datatype)
        tensor.set_data_from_numpy(array, binary_data=binary)
        inputs.append(tensor)
    found = client.infer("flights", inputs, request_id="7")
    assert found.get_response()["id"] == "7"
    assert found.as_numpy("prediction").tolist() == predictions(running)
    with pytest.raises(tritonclient.http.InferenceServerException, match="found no year"):
        client.infer("flights", inputs[1:])


# In a process of its own: its messages have the names of kserve's.
OVER_GRPC = """
import json, sys
import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput

client = InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("flights")
inputs = []
for name, value in json.loads(sys.argv[2]).items():
    text = isinstance(value, str)
    inputs.append(InferInput(name, [1], "BYTES" if text else "INT64"))
    inputs[-1].set_data_from_numpy(np.array([value.encode() if text else value], object if text else np.int64))
print(json.dumps(client.infer("flights", inputs).as_numpy("prediction").tolist()))
"""


def test_triton_over_grpc(running: Running) -> None:
    words = [sys.executable, "-c", OVER_GRPC, f"127.0.0.1:{running.grpc_port}", json.dumps(example(running))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == predictions(running)


def arrays(running: Running) -> Iterator[tuple[str, Any, str]]:
    """The example as Triton's arrays."""
    for name, value in example(running).items():
        if isinstance(value, str):
            yield name, np.array([value.encode()], dtype=object), "BYTES"
        else:
            yield name, np.array([value], dtype=np.int64), "INT64"


def predictions(running: Running) -> list[float]:
    said = httpx.post(
        f"http://127.0.0.1:{running.port}/v1/models/flights:predict", json={"instances": [example(running)]}
    )
    found: list[float] = said.json()["predictions"]
    return found


def test_a_taken_port_and_a_folder_without_a_problem_are_one_line(
    running: Running, turned_once: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    taken = turned_once.run("tidegate", "serve", "--port", str(running.port), check=False)
    assert (taken.returncode, taken.stdout) == (2, "")
    assert re.fullmatch(
        rf"error: --port {running.port}: expected a free port of this machine, found address already in use"
        r"[^\n]*; choose another one\n", taken.stderr, re.IGNORECASE,
    ), taken.stderr  # fmt: skip
    nowhere = Workspace(tmp_path_factory.mktemp("nowhere")).run("tidegate", "serve", check=False)
    assert nowhere.returncode == 2
    assert nowhere.stderr.startswith("error: contract.yaml: expected the contract of a problem, found nothing;")


def test_a_signal_loses_no_record_and_a_crash_no_old_one(turned_once: Workspace, tmp_path: Path) -> None:
    place, clean = tmp_path / "asked", turned_once.folder / "artifacts/validate/clean"
    flags = ["--set", f"serve.record={place}"]
    with serving(turned_once, *flags, "--set", "serve.record_seconds=3600") as ended:
        first = predictions(ended) + predictions(ended)
        ended.process.terminate()
        assert ended.process.wait(30) == 0
    assert recorded(place, clean) == first
    with serving(turned_once, *flags, "--set", "serve.record_seconds=0.2") as killed:
        second = predictions(killed)
        for _ in range(600):
            if len(recorded(place, clean)) == 3:
                break
            time.sleep(0.1)
        killed.process.kill()
    assert recorded(place, clean) == first + second


def recorded(place: Path, clean: Path) -> list[float]:
    """The predictions that are recorded, joined with their late labels as docs/serving.md says."""
    labels = f"JOIN '{clean}/flights.parquet' AS flights"
    key = "key_time_hour = time_hour AND key_carrier = carrier AND key_flight = flight"
    files = f"read_parquet('{place}/**/*.parquet', union_by_name=true, hive_partitioning=true)"
    return [row[0] for row in duckdb.execute(f"SELECT prediction FROM {files} {labels} ON {key}").fetchall()]


def test_it_imports_neither_kubeflow_nor_dvc_nor_evidently(turned_once: Workspace) -> None:
    program = (
        "import asyncio, sys\n"
        "asyncio.run = lambda serving: (serving.close(), print('\\n'.join(sys.modules)))\n"
        "sys.argv = ['tidegate', 'serve', '--port', '0', '--grpc-port', '0']\n"
        "from tidegate.commands.cli import main\n"
        "main()\n"
    )
    found = turned_once.run(sys.executable, "-c", program).stdout.splitlines()
    assert "tidegate.serving.rest" in found
    assert {name.partition(".")[0] for name in found} & ABSENT == set()
    order = [found.index(name) for name in ("skops.io", "kserve", "mlflow")]
    assert order == sorted(order), "skops looks for its types in every module that is there"


def test_sigterm_ends_it_and_answers_what_was_accepted(turned_once: Workspace, tmp_path: Path) -> None:
    with serving(turned_once, "--set", f"serve.record={tmp_path}") as running:
        url, body = f"http://127.0.0.1:{running.port}/v1/models/flights:predict", {"instances": [example(running)]}

        def ask(_: int) -> Any:
            try:
                return httpx.post(url, json=body, timeout=60).json()
            except httpx.TransportError:  # it came too late
                return None

        with ThreadPoolExecutor(20) as clients:
            asked = [clients.submit(ask, number) for number in range(100)]
            next(as_completed(asked))  # others are accepted now
            os.kill(running.process.pid, signal.SIGTERM)
            answers = [answer for request in asked if (answer := request.result()) is not None]
        assert running.process.wait(30) == 0
    assert answers and {answer.get("model_version") for answer in answers} == {"1"}
    recorded = f"SELECT count(*) FROM '{tmp_path}/**/*.parquet'"
    assert duckdb.execute(recorded).fetchall() == [(len(answers),)], "what was computed has reached its client"
