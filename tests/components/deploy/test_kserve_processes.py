"""A rollout between two processes of `tidegate serve`, started with the arguments that are on the cluster."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.components.deploy.conftest import ON_KSERVE
from tests.servers.kserve.cluster import Backend, Behaviour, KServeCluster, Reply, Service, document
from tests.servers.programs import free_port
from tests.tidegate.serving.conftest import EVENT
from tidegate.process import limits

if TYPE_CHECKING:
    from tests.toy import World

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def pod(world: "World", *args: str) -> Iterator[Backend]:
    """`tidegate serve` as a pod runs it; not there (503) until it listens."""
    port = free_port()
    flags = ["--port", str(port), "--grpc-port", "0", "--set", "serve.poll_seconds=0.5"]
    words = [sys.executable, "-m", "tidegate", "serve", *flags, "--set", f"serve.tables={world / 'clean'}", *args]

    def answer(method: str, path: str, body: bytes) -> Reply:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body or None, headers, method=method)
        try:
            with DIRECT.open(request, timeout=20) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 503, b""

    with subprocess.Popen(words, cwd=world.folder, env=os.environ, stdout=subprocess.DEVNULL) as process:
        try:
            yield answer
        finally:
            process.terminate()
            process.wait(30)


def test_from_one_version_to_the_next_between_two_processes(
    kserve: KServeCluster, judged: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROLLOUT_STILL_SECONDS", 120.0)
    monkeypatch.setattr(limits, "ROLLOUT_PAUSE_SECONDS", 0.1)
    spec = document("shop")
    args = spec["spec"]["predictor"]["model"]["args"]
    with ExitStack() as pods:
        stable = pods.enter_context(pod(judged, *args))

        def canary(version: str) -> Backend:
            given = service.document["spec"]["canary"][0]["predictor"]["model"]["args"]
            assert given == [*args, "--version", version]
            return pods.enter_context(pod(judged, *given))

        behaviour = Behaviour(waits_for_pods=True)
        service = Service(spec, stable, canary, behaviour)
        kserve.apply(service)
        while "address" not in service.document["status"]:
            kserve.look(service)
        judged.run("deploy", **{**ON_KSERVE, "watch_seconds": 5})
        release = judged.json("release")
        assert (release["promoted"], release["champion"]) == (True, "2")
        assert service.document["spec"].get("canary") is None
        _, said = stable("POST", "/v1/models/toy:predict", json.dumps({"instances": [EVENT]}).encode())
        assert json.loads(said)["model_version"] == "2"
