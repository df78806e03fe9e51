"""A cluster with KServe: the API for InferenceServices, what the controller makes of them, and the addresses.

It is also an HTTP proxy (`http_proxy`), through which the names of the cluster's services resolve.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.http import serving
from tests.servers.kserve import rules

API = "/apis/serving.kserve.io/v1beta1/namespaces/"
DOMAIN = "svc.cluster.local"
Reply = tuple[int, bytes]
# Answers a request (method, path, body) for predictions.
Backend = Callable[[str, str, bytes], Reply]
TOKEN = "Bearer kube-token"


@dataclass
class Behaviour:
    """What goes wrong, or how old it is; counts are of requests that are left."""

    knows_canary: bool = True  # KServe 0.20
    splits: bool = True  # KServe 0.21
    ready_after: int = 1  # looks at a canary until it is ready
    never_ready: bool = False
    waits_for_pods: bool = False  # a canary is ready once its server is
    conflicts: int = 0
    away: int = 0
    rights: tuple[str, ...] = ("get", "patch")
    denial: str = ""
    on_patch: Callable[[int, bool], None] = lambda number, after: None


@dataclass
class Service:
    """An InferenceService, and who answers at its addresses: the predictor, and the canary of each version."""

    document: dict[str, Any]
    stable: Backend
    canary: Callable[[str], Backend]
    behaviour: Behaviour = field(default_factory=Behaviour)
    looks: int = 0
    patches: list[Mapping[str, Any]] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    made: dict[str, Backend] = field(default_factory=dict)
    drawn: int = 0


def document(namespace: str, name: str = "toy", **predictor: Any) -> dict[str, Any]:
    """An InferenceService as it is applied."""
    model = {"modelFormat": {"name": "tidegate"}, "runtime": "tidegate-serve", "args": ["--name", name]}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"namespace": namespace, "name": name, "annotations": {rules.MODE: rules.LEGACY}},
        "spec": {"predictor": {"minReplicas": 2, "maxReplicas": 4, "model": model, **predictor}},
    }


class KServeCluster:
    """The cluster; `services` are its InferenceServices by namespace and name."""

    def __init__(self) -> None:
        self.services: dict[tuple[str, str], Service] = {}
        self.lock = threading.RLock()
        self.port = 0

    @property
    def url(self) -> str:
        """The address of the API, and of the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def apply(self, service: Service) -> Service:
        """Add an InferenceService, as `kubectl apply` does."""
        made = rules.defaulted(service.document)
        assert not rules.invalid(made) and not rules.denied(made)
        made["metadata"] |= {"resourceVersion": "1", "generation": 1}
        service.document = made
        self.services[made["metadata"]["namespace"], made["metadata"]["name"]] = service
        self.look(service)
        return service

    def request(self, method: str, url: str, body: bytes, token: str) -> Reply:
        """Answer a request to the API, or through the proxy."""
        parts = urlsplit(url)
        if parts.netloc and parts.netloc != f"127.0.0.1:{self.port}":
            return self._through(method, parts.netloc, parts.path, body)
        with self.lock:
            return self._of_api(method, parts.path, parse_qs(parts.query), body, token)

    def _of_api(self, method: str, path: str, query: Mapping[str, list[str]], body: bytes, token: str) -> Reply:
        if token != TOKEN:
            return _status(401, "Unauthorized")
        if not path.startswith(API):
            return _status(404, "the server could not find the requested resource")
        namespace, _, name = path.removeprefix(API).split("/")
        service = self.services.get((namespace, name))
        verb = method.lower()
        if service and service.behaviour.away:
            service.behaviour.away -= 1
            return _status(503, "the server is currently unable to handle the request")
        if service and verb not in service.behaviour.rights:
            reason = f'inferenceservices.serving.kserve.io "{name}" is forbidden: User "ada" cannot {verb} resource'
            return _status(403, reason)
        if service is None:
            return _status(404, f'inferenceservices.serving.kserve.io "{name}" not found')
        if method == "GET":
            self.look(service)
            return 200, json.dumps(service.document).encode()
        return self._patch(service, json.loads(body), "dryRun" in query)

    def _patch(self, service: Service, patch: Mapping[str, Any], dry_run: bool) -> Reply:
        now, behaviour = service.document, service.behaviour
        if not dry_run:
            behaviour.on_patch(len(service.patches), False)
        if behaviour.conflicts:
            behaviour.conflicts -= 1
            now["metadata"]["resourceVersion"] = str(int(now["metadata"]["resourceVersion"]) + 1)
        if patch["metadata"]["resourceVersion"] != now["metadata"]["resourceVersion"]:
            return _status(409, "Operation cannot be fulfilled: the object has been modified")
        wanted = rules.defaulted(_merged(deepcopy(now), patch))
        wanted = rules.pruned(wanted, rules.schema() if behaviour.knows_canary else _older())
        if reason := rules.invalid(wanted):
            return _status(422, reason)
        if reason := rules.denied(wanted) or (behaviour.denial and rules.WEBHOOK + behaviour.denial):
            return _status(403, reason)
        wanted["metadata"]["generation"] += wanted["spec"] != now["spec"]
        if not dry_run:
            wanted["metadata"]["resourceVersion"] = str(int(now["metadata"]["resourceVersion"]) + 1)
            service.document, service.looks = wanted, 0
            service.patches.append(patch)
            behaviour.on_patch(len(service.patches) - 1, True)
        return 200, json.dumps(wanted).encode()

    def look(self, service: Service) -> None:
        """Write the status, as KServe does at any time: reconcileCanaryDeployments, createAddress, createRawURL."""
        metadata, spec = service.document["metadata"], service.document["spec"]
        namespace, name = metadata["namespace"], metadata["name"]
        service.looks += 1
        ready = service.looks > service.behaviour.ready_after and not service.behaviour.never_ready
        stable = service.stable("GET", f"/v2/models/{name}/ready", b"")[0] == 200
        canaries = [
            {
                "name": canary["predictor"]["name"],
                "ready": ready and self._is_up(service, canary),
                "trafficPercent": canary["trafficPercent"],
            }
            for canary in spec.get("canary") or ()
        ]
        conditions = {"PredictorReady": stable, "IngressReady": stable, "Ready": stable}
        if canaries:
            conditions["CanaryPredictorReady"] = all(canary["ready"] for canary in canaries)
        status: dict[str, Any] = {
            "deploymentMode": metadata.get("annotations", {}).get(rules.MODE),
            "conditions": [{"type": kind, "status": str(met)} for kind, met in conditions.items()],
        }
        if canaries:
            status["canaryStatuses"] = canaries
        if stable:
            status["url"] = f"http://{name}-{namespace}.example.com"
            status["address"] = {"url": f"http://{name}-predictor.{namespace}.{DOMAIN}"}
        service.document["status"] = status

    def _is_up(self, service: Service, canary: Mapping[str, Any]) -> bool:
        pod = self._pods(service, canary).get(canary["predictor"]["name"])
        name = service.document["metadata"]["name"]
        if pod is None or not service.behaviour.waits_for_pods:
            return pod is not None
        return pod("GET", f"/v2/models/{name}/ready", b"")[0] == 200

    def _pods(self, service: Service, canary: Mapping[str, Any]) -> Mapping[str, Backend]:
        """The pods of a canary, by its name: of the version that its arguments say."""
        name, args = canary["predictor"]["name"], canary["predictor"]["model"]["args"]
        if name not in service.made and "--version" in args:
            service.made[name] = service.canary(args[args.index("--version") + 1])
        return service.made

    def _through(self, method: str, host: str, path: str, body: bytes) -> Reply:
        """The answer of a name of the cluster: of the predictor, of a canary, or of the route."""
        with self.lock:
            backend = self._backend(host)
        return backend(method, path, body) if backend else (502, b"no such host")

    def _backend(self, host: str) -> Backend | None:
        for (namespace, name), service in self.services.items():
            canaries = {one["predictor"]["name"]: one for one in service.document["spec"].get("canary") or ()}
            named = {f"{name}-{canary}-predictor.{namespace}.{DOMAIN}": canary for canary in canaries}
            chosen: str | None = None
            if host in named:
                chosen = named[host]
            elif host == f"{name}-{namespace}.example.com":
                chosen = self._drawn(service, canaries)
            elif host == f"{name}-predictor.{namespace}.{DOMAIN}":
                chosen = ""
            if chosen is not None:
                service.asked[chosen] = service.asked.get(chosen, 0) + 1
                return self._pods(service, canaries[chosen])[chosen] if chosen else service.stable
        return None

    def _drawn(self, service: Service, canaries: Mapping[str, Any]) -> str:
        """Whom the weights of the route give a request: applyCanaryWeights. KServe 0.20 has no weights."""
        service.drawn = (service.drawn + 37) % 100
        statuses = service.document["status"].get("canaryStatuses") or ()
        if not service.behaviour.splits:
            return ""
        edge = 0
        for status in statuses:
            edge += status["trafficPercent"] if status["ready"] else 0
            if status["name"] in canaries and service.drawn < edge:
                return str(status["name"])
        return ""


def _older() -> dict[str, Any]:
    """The schema before KServe 0.20: it knows no canary."""
    older: dict[str, Any] = deepcopy(dict(rules.schema()))
    del older["properties"]["spec"]["properties"]["canary"]
    return older


def _merged(value: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Merge Patch (RFC 7396)."""
    for key, new in patch.items():
        if new is None:
            value.pop(key, None)
        else:
            value[key] = _merged(value.get(key, {}), new) if isinstance(new, dict) else new
    return value


def _status(code: int, message: str) -> Reply:
    return code, json.dumps({"kind": "Status", "status": "Failure", "message": message, "code": code}).encode()


@contextmanager
def running() -> Iterator[KServeCluster]:
    """A cluster without InferenceServices."""
    cluster = KServeCluster()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, content = cluster.request(self.command, self.path, body, self.headers.get("Authorization", ""))
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PATCH(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as port:
        cluster.port = port
        yield cluster
