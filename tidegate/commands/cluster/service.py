"""The connection to Kubeflow Pipelines: checks that the server is Kubeflow, and finds the namespace."""

import io
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, TypeVar

from kubernetes import config as kubeconfig

from tidegate.commands.cluster.answers import EXPECTED, HOST, WAIT, answering
from tidegate.commands.cluster.connection import Connection
from tidegate.commands.cluster.kfp_client import Client
from tidegate.process.deadline import within
from tidegate.process.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """A connection to Kubeflow Pipelines; `namespace` is None in single-user mode."""

    client: Any
    connection: Connection
    namespace: str | None

    def ask(self, method: Callable[..., T], *arguments: object, **options: object) -> T:
        """Call the client; its output is suppressed, and its exceptions become an InputError of one line."""
        with answering(self.connection.where), redirect_stdout(io.StringIO()):
            return method(*arguments, **options)


def connect(connection: Connection) -> Service:
    """A connection that has been answered; InputError within the connection's time-out otherwise."""
    if not connection.host:
        _check_kubeconfig(connection)
    with answering(connection.where):
        return within(connection.timeout, lambda: _reach(connection))


def _reach(connection: Connection) -> Service:
    client = Client(connection)
    shared = client.get_kfp_healthz().multi_user
    if shared is None:  # another server, or Kubeflow's UI while the API is not ready
        raise InputError(connection.where, EXPECTED, "one that does not say what it is", f"{WAIT}; or {HOST}")
    namespace = (connection.namespace or client.get_user_namespace() or None) if shared else None
    if shared and not namespace:
        raise InputError(
            connection.where, "the namespace of your profile", "none", "pass --namespace or set KFP_NAMESPACE"
        )
    client.experiments.experiment_service_list_experiments(page_size=1, namespace=namespace or "")
    return Service(client, connection, namespace)


def _check_kubeconfig(connection: Connection) -> None:
    """Without a host kfp uses the kubeconfig; without that it would try port 80 of this machine."""
    if "KUBERNETES_SERVICE_HOST" in os.environ and not connection.kube_context:
        return
    try:
        contexts, _ = kubeconfig.list_kube_config_contexts()
    except kubeconfig.ConfigException:
        raise InputError("Kubeflow Pipelines", "an endpoint", "none", "pass --host or set KFP_ENDPOINT") from None
    names = [context["name"] for context in contexts]
    if connection.kube_context and connection.kube_context not in names:
        raise InputError("--kube-context", f"one of {', '.join(names)}", connection.kube_context, "choose one")
