"""`kfp.Client` with time-outs, few retries, and checks of answers."""

import warnings
from collections.abc import Callable
from typing import Any

import kfp
import kfp_server_api as api
import urllib3
from kfp_server_api.rest import RESTClientObject

from tidegate.commands.cluster.answers import EXPECTED, HOST, SIGN_IN
from tidegate.commands.cluster.connection import DEFAULT_NAMESPACE, Connection
from tidegate.process import limits
from tidegate.process.errors import InputError

NOWHERE = "http://localhost"  # the generated client's default when kfp could not read the kubeconfig


class Impatient(RESTClientObject):  # type: ignore[misc]
    """A REST client with time-outs, which refuses HTML pages as answers."""

    def __init__(self, configuration: api.Configuration, where: str, timeout: float) -> None:
        configuration.retries = urllib3.Retry(total=None, connect=0, read=0, redirect=3, status=0, other=0)
        super().__init__(configuration)
        self.where, self.timeout = where, timeout

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request with a time-out; InputError for a login page."""
        options["_request_timeout"] = options.get("_request_timeout") or (self.timeout, limits.API_REQUEST_SECONDS)
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
        """One request; kfp's own method retries five times and prints a traceback each time."""
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
        """GET a path for which the generated client has no method."""
        answer = self._run_api.api_client.call_api(
            path, "GET", query_params=list(query.items()), auth_settings=["Bearer"], _preload_content=False
        )
        return str(answer.data.decode("utf-8", "replace"))


def _keeping(host: str, hook: Callable[[Any], None]) -> Callable[[Any], None]:
    """Keep the proxy path: the kubeconfig's hook that renews the token resets it."""

    def refresh(configuration: Any) -> None:
        hook(configuration)
        configuration.host, configuration.refresh_api_key_hook = host, refresh

    return refresh


def _credentials(connection: Connection) -> Any:
    if not connection.token_file or connection.existing_token:
        return None
    return kfp.client.ServiceAccountTokenVolumeCredentials(connection.token_file)
