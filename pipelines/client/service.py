"""`kfp.Client`, which waits for ever, made impatient; and whether what answers is Kubeflow at all."""

import io
import os
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, TypeVar

import kfp
import kfp_server_api as api
import urllib3
from kfp_server_api.rest import RESTClientObject
from kubernetes import config as kubeconfig

from components.errors import InputError
from pipelines.client.answers import EXPECTED, HOST, SIGN_IN, answering
from pipelines.client.connection import DEFAULT_NAMESPACE, Connection
from pipelines.client.deadline import within

T = TypeVar("T")
LONGEST_REQUEST = 60.0
NOWHERE = "http://localhost"  # where the generated client looks when kfp could not read the kubeconfig


class Impatient(RESTClientObject):  # type: ignore[misc]
    """Requests that end, and answers that are not pages for people."""

    def __init__(self, configuration: api.Configuration, where: str, timeout: float) -> None:
        configuration.retries = urllib3.Retry(total=None, connect=0, read=0, redirect=3, status=0, other=0)
        super().__init__(configuration)
        self.where, self.timeout = where, timeout

    def request(self, method: str, url: str, **options: Any) -> Any:
        """As the generated client sends it, with a limit; InputError for a login page."""
        options["_request_timeout"] = options.get("_request_timeout") or (self.timeout, LONGEST_REQUEST)
        answer = super().request(method, url, **options)
        if "html" in (answer.getheader("content-type") or ""):
            raise InputError(self.where, EXPECTED, "a page for people, such as a login", f"{SIGN_IN}; or {HOST}")
        return answer


class Client(kfp.Client):  # type: ignore[misc]
    """`kfp.Client` over `Impatient`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        if not connection.verify_ssl:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        with warnings.catch_warnings(action="ignore"):
            super().__init__(
                host=connection.host,
                ui_host=connection.ui_host,
                namespace=connection.namespace or DEFAULT_NAMESPACE,
                existing_token=connection.existing_token,
                cookies=connection.cookies,
                credentials=_credentials(connection),
                ssl_ca_cert=connection.ssl_ca_cert,
                verify_ssl=None if connection.verify_ssl else False,
                proxy=connection.proxy,
                kube_context=connection.kube_context,
            )
        self._prepare()

    def get_kfp_healthz(self, sleep_duration: int = 0) -> Any:
        """Asked once; kfp, which may ask while it is being made, asks five times and prints a traceback each time."""
        self._prepare()
        return self.healthzs.healthz_service_get_healthz()

    def _prepare(self) -> None:
        sender = self._run_api.api_client  # all services share it
        configuration = sender.configuration
        if isinstance(sender.rest_client, Impatient):
            return
        if configuration.host == NOWHERE:
            raise InputError("kubeconfig", "a way into the cluster", "none that works", "see `kubectl version`")
        if hook := configuration.refresh_api_key_hook:
            configuration.refresh_api_key_hook = _keeping(configuration.host, hook)
        sender.rest_client = Impatient(configuration, self.connection.where, self.connection.timeout)

    def text(self, path: str, **query: str) -> str:
        """What lies under a path for which the generated client has no method."""
        answer = self._run_api.api_client.call_api(
            path, "GET", query_params=list(query.items()), auth_settings=["Bearer"], _preload_content=False
        )
        return str(answer.data.decode("utf-8", "replace"))


@dataclass(frozen=True)
class Service:
    """Kubeflow Pipelines, reached; `namespace` is None where one person has it for themselves."""

    client: Any
    connection: Connection
    namespace: str | None

    def ask(self, method: Callable[..., T], *arguments: object, **options: object) -> T:
        """Call the client; kfp prints, and what it raises is told in one line."""
        with answering(self.connection.where), redirect_stdout(io.StringIO()):
            return method(*arguments, **options)


def _keeping(host: str, hook: Callable[[Any], None]) -> Callable[[Any], None]:
    """A kubeconfig's hook renews the token, forgets that the way leads through the cluster's proxy, and hooks anew."""

    def refresh(configuration: Any) -> None:
        hook(configuration)
        configuration.host, configuration.refresh_api_key_hook = host, refresh

    return refresh


def connect(connection: Connection) -> Service:
    """Kubeflow Pipelines, having answered; InputError within the connection's timeout otherwise."""
    if not connection.host:
        _check_kubeconfig(connection)
    with answering(connection.where):
        return within(connection.timeout, lambda: _reach(connection))


def _reach(connection: Connection) -> Service:
    client = Client(connection)
    shared = client.get_kfp_healthz().multi_user
    namespace = (connection.namespace or client.get_user_namespace() or None) if shared else None
    if shared and not namespace:
        raise InputError(
            connection.where, "the namespace of your profile", "none", "pass --namespace or set KFP_NAMESPACE"
        )
    client.experiments.experiment_service_list_experiments(page_size=1, namespace=namespace or "")
    return Service(client, connection, namespace)


def _credentials(connection: Connection) -> Any:
    if not connection.token_file or connection.existing_token:
        return None
    return kfp.client.ServiceAccountTokenVolumeCredentials(connection.token_file)


def _check_kubeconfig(connection: Connection) -> None:
    """Without a host kfp takes the kubeconfig; without that it would try this machine's port 80."""
    if "KUBERNETES_SERVICE_HOST" in os.environ and not connection.kube_context:
        return
    try:
        contexts, _ = kubeconfig.list_kube_config_contexts()
    except kubeconfig.ConfigException:
        raise InputError("Kubeflow Pipelines", "an endpoint", "none", "pass --host or set KFP_ENDPOINT") from None
    names = [context["name"] for context in contexts]
    if connection.kube_context and connection.kube_context not in names:
        raise InputError("--kube-context", f"one of {', '.join(names)}", connection.kube_context, "choose one")
