"""The way to the API of Kubernetes: from within the cluster, else by the kubeconfig."""

import logging
import os
from pathlib import Path

from kubernetes import client as kubernetes
from kubernetes import config as kubeconfig

OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")  # in every pod
DEFAULT_NAMESPACE = "default"


def kubernetes_api(context: str | None) -> kubernetes.ApiClient | None:
    """A client of the Kubernetes API from the kubeconfig or from within the cluster; None without either."""
    logging.getLogger("kubernetes").setLevel(logging.ERROR)
    settings = kubernetes.Configuration()
    settings.retries = False  # each retry would wait for the whole time-out
    try:
        if _is_within(context):
            kubeconfig.load_incluster_config(settings)
        else:
            kubeconfig.load_kube_config(context=context, client_configuration=settings)
    except kubeconfig.ConfigException:
        return None
    return kubernetes.ApiClient(settings)


def namespace(context: str | None = None) -> str:
    """The namespace of this pod, else that of the kubeconfig's context."""
    if _is_within(context):
        return OWN_NAMESPACE.read_text(encoding="utf-8").strip()
    contexts, current = kubeconfig.list_kube_config_contexts()
    chosen = next((each for each in contexts if each["name"] == context), current)
    return str(chosen["context"].get("namespace") or DEFAULT_NAMESPACE)


def _is_within(context: str | None) -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ and not context
