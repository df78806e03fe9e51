"""A stand-in for the API server of Kubeflow Pipelines, and for what stands before it when that goes wrong."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.servers.http import QuietServer
from tests.tidegate.commands.cluster import recordings
from tests.tidegate.commands.cluster.kfp_state import ROUTES, Kubeflow, Query, RefusalError, wire

LOGIN_PAGE = "<!doctype html><title>Log in to Your Account</title><form action=/dex/auth/local></form>"
API_LOG = "/apis/v1alpha1/runs/{run}/nodes/{pod}/log"
UI_LOG = "/k8s/pod/logs?podname={pod}&runid={run}"
PODS = "/api/v1/namespaces/kubeflow/pods"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/kubeflow/workflows"
KUBERNETES = ("/api/v1/nodes", "/apis/argoproj.io/", "/apis/authorization.k8s.io/")
NO_LOG = next(text for text in recordings.log_answers().values() if text.startswith("{"))
REVIEWS = "/apis/authorization.k8s.io/v1/"


class Request(NamedTuple):
    """What a client sent."""

    method: str
    path: str
    headers: Message


class KfpServer(QuietServer):
    """Serves a `Kubeflow`; `faults` are what the next requests meet, the last one for good."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kubeflow = Kubeflow()
        self.faults: list[str] = []
        self.received: list[Request] = []
        self.namespaces: set[str] | None = None
        self.token: str | None = None
        self.cookie: str | None = None
        self.log_route = API_LOG
        self.kubernetes: dict[str, Any] = {}  # what the cluster's own API has, by path; None is forbidden
        self.denied: set[tuple[str, str]] = set()  # verb and resource that Kubernetes says nobody may
        self.stopped = threading.Event()

    def replay(self, case: str) -> Any:
        """Have what a real cluster had of this run, and return the run."""
        found = recordings.run(case)
        self.kubeflow.runs[found.run_id] = found
        for path, name in ((PODS, "pods"), (WORKFLOWS, "workflow")):
            recorded = recordings.document(case, name) or {"items": []}
            self.kubernetes[path] = {"items": recorded.get("items", [recorded])}
        if case == "gate-refused":
            answers = recordings.log_answers()
            self.kubeflow.logs |= {name: text for name, text in answers.items() if not text.startswith("{")}
        return found

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def fault(self) -> str:
        """What this request meets, empty for nothing."""
        return self.faults.pop(0) if len(self.faults) > 1 else (self.faults or [""])[0]

    def admit(self, request: Request, query: Query, body: bytes) -> None:
        """Who asks, and for which namespace; RefusalError as Kubeflow tells it."""
        if self.token and request.headers["authorization"] != f"Bearer {self.token}":
            raise RefusalError(401, 16, "Request header error: there is no user identity header.")
        if self.namespaces is None:
            return
        asked = query.get("namespace") if "namespace" in query else _namespace(body)
        if asked == "":
            raise RefusalError(400, 3, "In multi-user mode, namespace must not be empty")
        if asked and asked not in self.namespaces:
            raise RefusalError(403, 7, f"User 'ada' is not authorized (request: Namespace:{asked})")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: KfpServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def handle_any(self) -> None:
        """Answer as the API would, or as the fault has it."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.received.append(Request(self.command, self.path, self.headers))
        fault = self.server.fault()
        if fault == "hang":
            self.server.stopped.wait(60)
        elif fault == "trickle":
            self._trickle()
        elif fault == "login" or (self.server.cookie and self.headers["Cookie"] != self.server.cookie):
            self._send(200, LOGIN_PAGE, "text/html; charset=utf-8")
        elif fault == "redirect" and not self.path.startswith("/dex"):
            self._send(302, "", "text/plain", Location="/dex/auth?client_id=kubeflow")
        elif fault == "redirect":
            self._send(200, LOGIN_PAGE, "text/html")
        elif fault == "unready":  # what Kubeflow's UI says of an API server that it cannot reach
            self._send(200, '{"apiServerReady":false,"frontendTagName":"2.17.0"}', "application/json")
        elif fault == "forbidden":
            self._send(403, json.dumps(refusal("services/proxy", 403)), "application/json")
        elif fault:
            self._send(int(fault), "upstream says no", "text/plain")
        else:
            self._answer(body)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        own = parts.path.startswith("/api/v1/namespaces/") and "/services/" not in parts.path
        if own or parts.path.startswith(KUBERNETES):
            return self._kubernetes(parts.path, query, body)
        if "/log" in parts.path:
            return self._log()
        try:
            self.server.admit(self.server.received[-1], query, body)
            found = self._route(f"{self.command} {parts.path}", query, body)
        except RefusalError as error:
            told = {"error": str(error), **wire.sanitize_for_serialization(error.body)}
            return self._send(error.status, json.dumps(told), "application/json")
        return self._send(200, json.dumps(wire.sanitize_for_serialization(found)), "application/json")

    def _route(self, line: str, query: Query, body: bytes) -> Any:
        line = re.sub(r"(/api/v1/namespaces/[^/]+/services/ml-pipeline:http/proxy/)?/apis/v2beta1", "", line)
        for pattern, handle in ROUTES.items():
            if found := re.fullmatch(pattern, line):
                return handle(self.server.kubeflow, query, body, *found.groups())
        raise RefusalError(404, 5, "Not Found")

    def _log(self) -> None:
        kubeflow = self.server.kubeflow
        for run, pod in product(kubeflow.runs, kubeflow.logs):
            if self.path.startswith(self.server.log_route.format(run=run, pod=pod)):
                return self._send(200, kubeflow.logs[pod], "text/plain")
        if self.server.log_route == UI_LOG and not self.path.startswith("/k8s"):
            return self._send(200, "<!doctype html><title>Kubeflow</title>", "text/html")
        if self.path.startswith("/apis/v1alpha1"):
            return self._send(200, NO_LOG, "text/plain; charset=utf-8")
        return self._send(404, json.dumps({"code": 5, "message": "Not Found"}), "application/json")

    def _kubernetes(self, path: str, query: Query, body: bytes) -> None:
        if path.startswith(REVIEWS):
            return self._review(json.loads(body))
        found = self.server.kubernetes.get(path, "")
        if isinstance(found, str) and found:
            return self._send(200, found, "text/plain")
        status = 404 if found == "" else 403 if found is None else 200
        told = selected(found, query) if status == 200 else refusal(path, status)
        return self._send(status, json.dumps(told), "application/json")

    def _review(self, review: Any) -> None:
        asked = review["spec"]["resourceAttributes"]
        allowed = (asked["verb"], asked["resource"]) not in self.server.denied
        if "localsubject" in self.path and ("create", "localsubjectaccessreviews") in self.server.denied:
            return self._send(403, json.dumps(refusal(self.path, 403)), "application/json")
        return self._send(201, json.dumps({**review, "status": {"allowed": allowed}}), "application/json")

    def _trickle(self) -> None:
        """A byte now and then: no wait between two bytes is long, the whole never ends."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.stopped.wait(0.2):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def _send(self, status: int, text: str, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def serving() -> Iterator[KfpServer]:
    """A server that answers for as long as the block lasts."""
    with KfpServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()


def selected(document: Any, query: Query) -> Any:
    """A list as its selectors of labels and fields leave it, as Kubernetes does."""
    if "items" not in document:
        return document
    label, _, wanted = query.get("labelSelector", "").partition("=")
    items = [item for item in document["items"] if not label or label in item["metadata"].get("labels", {})]
    items = [item for item in items if not wanted or item["metadata"]["labels"][label] == wanted]
    if query.get("fieldSelector") == "status.phase!=Succeeded":
        items = [item for item in items if item["status"].get("phase") != "Succeeded"]
    return {**document, "items": items}


def refusal(path: str, status: int) -> dict[str, Any]:
    """What Kubernetes says of what is not there, and of what one may not."""
    reason = "Forbidden" if status == 403 else "NotFound"
    resource = path.removeprefix("/api/v1/namespaces/kubeflow/")
    message = f'{resource} is forbidden: User "ada" cannot get resource "{resource}" in the namespace "kubeflow"'
    message = message if status == 403 else f"{resource} not found"
    return {"kind": "Status", "apiVersion": "v1", "code": status, "reason": reason, "message": message}


def _namespace(body: bytes) -> str | None:
    try:
        return dict(json.loads(body)).get("namespace")
    except (ValueError, TypeError):
        return None
