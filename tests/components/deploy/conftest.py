"""KServe with the InferenceService of the small problem, whose predictors are Tidegate's own servers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes.config import kube_config

from tests.servers.kserve.cluster import Backend, Behaviour, KServeCluster, Service, document, running
from tests.tidegate.commands.cluster import kubeconfigs
from tests.tidegate.serving.conftest import Server
from tidegate.process import limits

if TYPE_CHECKING:
    from tests.toy import World

QUICK = {
    "ROLLOUT_POLL_SECONDS": 0.02,
    "ROLLOUT_AWAY_SECONDS": 0.5,
    "ROLLOUT_STILL_SECONDS": 1.0,
    "ROLLOUT_PAUSE_SECONDS": 0.02,
    "ROLLOUT_DOOR_SECONDS": 0.5,
}
ON_KSERVE: dict[str, Any] = {
    "target": "kserve",
    "service": "shop/toy",
    "canary_percent": 40,
    "watch_seconds": 1,
}


def predictor(world: "World", version: str | None = None) -> Backend:
    """A server of the problem that follows the journal, or is pinned to a version."""
    server = Server(world)
    server.follower.pinned = version

    def answer(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if not server.follower.current or (not version and method == "POST"):
            server.model.load()
        said = server.ask(path, body or None, method)
        return said.status, json.dumps(said.document).encode()

    return answer


def applied(cluster: KServeCluster, world: "World", behaviour: Behaviour | None = None, **spec: Any) -> Service:
    """The InferenceService of the problem, on the cluster."""
    made = Service(
        document("shop", **spec), predictor(world), lambda version: predictor(world, version), behaviour or Behaviour()
    )
    return cluster.apply(made)


@pytest.fixture
def kserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KServeCluster]:
    """A cluster, to which the kubeconfig and the proxy lead; nobody waits for long."""
    with running() as cluster:
        kubeconfig = kubeconfigs.write(tmp_path / "kubeconfig", cluster.url)
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", kubeconfig)  # from KUBECONFIG at the import
        for name, value in {"KUBECONFIG": kubeconfig, "http_proxy": cluster.url, "no_proxy": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        for name, seconds in QUICK.items():
            monkeypatch.setattr(limits, name, seconds)
        yield cluster


Serve = Callable[..., Service]


@pytest.fixture
def serve_judged(kserve: KServeCluster, judged: "World") -> Serve:
    """Applies the InferenceService of the problem, where version 1 is champion and version 2 accepted."""

    def made(behaviour: Behaviour | None = None, **spec: Any) -> Service:
        return applied(kserve, judged, behaviour, **spec)

    return made
