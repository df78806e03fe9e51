"""The pods of runs from the Kubernetes API, where there is a kubeconfig."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes import client as kubernetes

from tidegate.commands.cluster.connection import DEFAULT_NAMESPACE
from tidegate.commands.cluster.reasons import Seen
from tidegate.commands.cluster.service import Service
from tidegate.rollout.kubernetes_api import kubernetes_api

RUN_LABEL = "pipeline/runid"
NODE = "workflows.argoproj.io/node-name"
CONTAINER = "main"
STARTING = (None, "PodInitializing", "ContainerCreating")
PLACE = re.compile(r"\.(?P<step>[^.()]+)(\(\d+\))?(\.executor|(?P<driver>-driver))(\((?P<attempt>\d+)\))?$")
TROUBLED = "status.phase!=Succeeded"
GONE = (kubernetes.ApiException, urllib3.exceptions.HTTPError)


@dataclass(frozen=True)
class Sight:
    """A client of the Kubernetes API, and the namespace of the runs' pods."""

    cluster: Any
    namespace: str
    timeout: float


def sight(service: Service) -> Sight | None:
    """The view; None without a kubeconfig."""
    connection = service.connection
    cluster = kubernetes_api(connection.kube_context)
    namespace = service.namespace or connection.namespace or DEFAULT_NAMESPACE
    return Sight(cluster, namespace, connection.timeout) if cluster else None


def of_run(view: Sight | None, run_id: str) -> list[Seen]:
    """Every pod of a run, from Kubernetes or, once deleted, from Argo's workflow; none without permission."""
    if view is None:
        return []
    remembered = {item.pod: item for item in _remembered(view, run_id)}
    present = {item.pod: item for item in (_by_run(view, f"{RUN_LABEL}={run_id}", "") or {}).get(run_id, [])}
    return list((remembered | present).values())


def in_trouble(view: Sight, run_id: str) -> list[Seen] | None:
    """The pods of a run that have not succeeded; None without permission."""
    pods = _by_run(view, f"{RUN_LABEL}={run_id}", TROUBLED)
    return None if pods is None else pods.get(run_id, [])


def of_all_runs(view: Sight | None) -> dict[str, list[Seen]]:
    """The pods that have not succeeded, by run; none without permission."""
    return (_by_run(view, RUN_LABEL, TROUBLED) or {}) if view else {}


def log(view: Sight | None, pod: str) -> str | None:
    """The log of a pod while it exists; None without permission."""
    if view is None:
        return None
    read = kubernetes.CoreV1Api(view.cluster).read_namespaced_pod_log
    try:
        return str(read(pod, view.namespace, container=CONTAINER, _request_timeout=view.timeout)) or None
    except GONE:
        return None


def condition(pod: Any) -> str:
    """Why a pod does not run or has ended; empty for a healthy one."""
    if pod.status.reason:  # evicted, or past its deadline: the containers only report how they were stopped
        return _sentence(pod.status.reason, pod.status.message)
    containers = [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]
    for status in containers:
        waiting, ended = status.state.waiting, status.state.terminated
        if waiting and waiting.reason not in STARTING:
            return _sentence(waiting.reason, waiting.message)
        if ended and ended.exit_code and (status.name == CONTAINER or ended.reason != "Completed"):
            return _sentence(f"{ended.reason or 'Error'}, exit code {ended.exit_code}", ended.message)
    stuck = [item for item in pod.status.conditions or [] if item.type == "PodScheduled" and item.status == "False"]
    return _sentence(stuck[0].reason, stuck[0].message) if stuck else ""


def _by_run(view: Sight, labels: str, fields: str) -> dict[str, list[Seen]] | None:
    listing = kubernetes.CoreV1Api(view.cluster).list_namespaced_pod
    try:
        pods = listing(view.namespace, label_selector=labels, field_selector=fields, _request_timeout=view.timeout)
    except GONE:
        return None
    by_run: dict[str, list[Seen]] = {}
    for pod in pods.items:
        place = (pod.metadata.annotations or {}).get(NODE, "")
        run = by_run.setdefault((pod.metadata.labels or {}).get(RUN_LABEL, ""), [])
        run.extend(_placed(place, pod.metadata.name, condition(pod)))
    return by_run


def _remembered(view: Sight, run_id: str) -> Iterator[Seen]:
    """From the status of the workflow, which outlives its pods."""
    listing = kubernetes.CustomObjectsApi(view.cluster).list_namespaced_custom_object
    place = ("argoproj.io", "v1alpha1", view.namespace, "workflows")
    try:
        workflows = listing(*place, label_selector=f"{RUN_LABEL}={run_id}", _request_timeout=view.timeout)
    except GONE:
        return
    for workflow in workflows["items"]:
        for node in workflow.get("status", {}).get("nodes", {}).values():
            if node["type"] == "Pod":
                yield from _placed(node["name"], _pod(workflow["metadata"]["name"], node), _message(node))


def _pod(workflow: str, node: Mapping[str, Any]) -> str:
    number = str(node["id"]).rpartition("-")[2]
    return f"{workflow}-{node.get('templateName', '')}-{number}"


def _message(node: Mapping[str, Any]) -> str:
    return "" if node["phase"] == "Succeeded" else " ".join(str(node.get("message", "")).split())


def _placed(place: str, pod: str, reason: str) -> Iterator[Seen]:
    if match := PLACE.search(place):
        yield Seen(match["step"], bool(match["driver"]), int(match["attempt"] or 0), pod, reason)


def _sentence(reason: str, message: str | None) -> str:
    return f"{reason}: {' '.join(message.split())}" if message else reason
