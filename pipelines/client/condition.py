"""What Kubernetes says of a step's pod: why it does not start, or how it ended; only where there is a kubeconfig."""

from typing import Any

import urllib3
from kubernetes import client as kubernetes

from pipelines.client import objects

RUN_LABEL = "pipeline/runid"
NODE = "workflows.argoproj.io/node-name"
CONTAINER = "main"


def conditions(context: str | None, namespace: str, run_id: str, timeout: float) -> dict[str, str]:
    """For every place in the workflow that has a pod, a sentence about it; none for pods that are well."""
    cluster = objects.api(context)
    if cluster is None:
        return {}
    try:
        pods = kubernetes.CoreV1Api(cluster).list_namespaced_pod(
            namespace, label_selector=f"{RUN_LABEL}={run_id}", _request_timeout=timeout
        )
    except (kubernetes.ApiException, urllib3.exceptions.HTTPError):
        return {}
    told = {(pod.metadata.annotations or {}).get(NODE, ""): condition(pod) for pod in pods.items}
    return {node: sentence for node, sentence in told.items() if sentence}


def condition(pod: Any) -> str:
    """What keeps a pod from running or ended it, empty where nothing does."""
    containers = [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]
    for status in containers:
        waiting, ended = status.state.waiting, status.state.terminated
        if waiting and waiting.reason not in (None, "PodInitializing", "ContainerCreating"):
            return _sentence(waiting.reason, waiting.message)
        if ended and ended.exit_code and (status.name == CONTAINER or ended.reason != "Completed"):
            return _sentence(f"{ended.reason or 'Error'}, exit code {ended.exit_code}", ended.message)
    if pod.status.reason:
        return _sentence(pod.status.reason, pod.status.message)
    stuck = [item for item in pod.status.conditions or [] if item.type == "PodScheduled" and item.status == "False"]
    return _sentence(stuck[0].reason, stuck[0].message) if stuck else ""


def _sentence(reason: str, message: str | None) -> str:
    return f"{reason}: {' '.join(message.split())}" if message else reason
