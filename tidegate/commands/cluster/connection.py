"""The connection to the cluster, from flags and environment, with the names that kfp uses."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.process.redaction import address
from tidegate.process.transport import check_encrypted

# Where Kubeflow mounts a token for its own API into a notebook.
TOKEN_FILE = Path("/var/run/secrets/kubeflow/pipelines/token")
DEFAULT_NAMESPACE = "kubeflow"


@dataclass(frozen=True)
class Connection:
    """The arguments of `kfp.Client`; secrets, and a host that may contain one, are excluded from its repr."""

    host: str | None = field(repr=False)
    ui_host: str | None
    namespace: str | None
    existing_token: str | None = field(repr=False)
    cookies: str | None = field(repr=False)
    token_file: str | None
    ssl_ca_cert: str | None
    verify_ssl: bool
    proxy: str | None = field(repr=False)
    kube_context: str | None
    timeout: float

    @property
    def where(self) -> str:
        """The place in words, without credentials."""
        if self.host:
            return f"Kubeflow Pipelines at {address(self.host)}"
        return f"Kubeflow Pipelines in namespace {self.namespace or DEFAULT_NAMESPACE} of {self._cluster}"

    @property
    def _cluster(self) -> str:
        return f"the cluster of context {self.kube_context}" if self.kube_context else "the cluster"

    def link(self, kind: str, name: str) -> str:
        """The page of a run (`runs`) or a recurring run (`recurringrun`) in Kubeflow's UI."""
        # Without a host only the path in Kubeflow's dashboard is known.
        base = address(self.ui_host or self.host or "/pipeline").rstrip("/")
        return f"{base}/#/{kind}/details/{name}"


FLAGS: Mapping[str, Mapping[str, Any]] = {
    "--host": {"metavar": "URL", "help": "the API or the UI of Kubeflow Pipelines (KFP_ENDPOINT)"},
    "--ui-host": {"metavar": "URL", "help": "the UI, if links need another one (KF_PIPELINES_UI_ENDPOINT)"},
    "--namespace": {"metavar": "NAME", "help": "where runs are; yours, if several people share it (KFP_NAMESPACE)"},
    "--existing-token": {"metavar": "TOKEN", "help": "a bearer token (better: KFP_EXISTING_TOKEN)"},
    "--cookies": {"metavar": "COOKIES", "help": "of Dex or oauth2-proxy, name=value; ... (better: KFP_COOKIES)"},
    "--token-file": {"metavar": "FILE", "help": "a service account's mounted token (KF_PIPELINES_SA_TOKEN_PATH)"},
    "--ssl-ca-cert": {"metavar": "FILE", "help": "the CA certificates to trust (KFP_SSL_CA_CERT, SSL_CERT_FILE)"},
    "--no-verify-ssl": {"action": "store_true", "help": "do not verify certificates"},
    "--proxy": {"metavar": "URL", "help": "an HTTP proxy (KFP_PROXY, HTTPS_PROXY and NO_PROXY)"},
    "--kube-context": {"metavar": "NAME", "help": "without --host: through this context of the kubeconfig"},
    "--timeout": {
        "type": float,
        "default": limits.API_SECONDS,
        "metavar": "S",
        "help": f"seconds until silence is an error ({limits.API_SECONDS:g})",
    },
}


def connection(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Connection:
    """The connection by the flags, else by the environment; InputError if its token could be read on the way."""

    def first(flag: str, *names: str) -> str | None:
        return flags.get(flag) or next((environment[name] for name in names if environment.get(name)), None)

    host = _url(first("host", "KFP_ENDPOINT", "KF_PIPELINES_ENDPOINT"))
    mounted = str(TOKEN_FILE) if TOKEN_FILE.exists() else None
    result = Connection(
        host=host,
        ui_host=_url(first("ui_host", "KF_PIPELINES_UI_ENDPOINT")),
        namespace=first("namespace", "KFP_NAMESPACE"),
        existing_token=first("existing_token", "KFP_EXISTING_TOKEN"),
        cookies=first("cookies", "KFP_COOKIES"),
        token_file=_file("--token-file", first("token_file", "KF_PIPELINES_SA_TOKEN_PATH")) or mounted,
        ssl_ca_cert=_file("--ssl-ca-cert", first("ssl_ca_cert", "KFP_SSL_CA_CERT", "SSL_CERT_FILE")),
        verify_ssl=not flags.get("no_verify_ssl"),
        proxy=first("proxy", "KFP_PROXY") or _proxy_of(host),
        kube_context=flags.get("kube_context"),
        timeout=flags["timeout"],
    )
    if host and (result.existing_token or result.cookies or result.token_file or urlsplit(host).password):
        check_encrypted("--host", host)
    return result


def connection_of(arguments: argparse.Namespace) -> Connection:
    """The connection by the flags of a command and the environment of this process."""
    return connection(vars(arguments), os.environ)


def _url(host: str | None) -> str | None:
    if not host:
        return None
    # As kfp does it: a host without a scheme is asked over https.
    return (host if host.startswith(("http://", "https://")) else f"https://{host}").rstrip("/")


def _file(thing: str, path: str | None) -> str | None:
    if path and not Path(path).is_file():
        raise InputError(thing, "a file", f"none at {path}", "correct the path")
    return path


def _proxy_of(host: str | None) -> str | None:
    """The proxy for a host in the environment, which urllib3 ignores."""
    from urllib.request import getproxies, proxy_bypass  # slow to import, and every command imports this

    parts = urlsplit(host or "")
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)
