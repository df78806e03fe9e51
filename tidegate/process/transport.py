"""Sends credentials only where nobody on the way can read them: over https, on this machine, or within a cluster.

`TIDEGATE_INSECURE` lists the exceptions: addresses such as `http://mlflow.lan:5000`, separated by spaces.
"""

import ipaddress
import os
from urllib.parse import urlsplit

from tidegate.process.errors import InputError
from tidegate.process.redaction import address

VARIABLE = "TIDEGATE_INSECURE"
WITHIN_A_CLUSTER = (".svc", ".svc.cluster.local")


def check_encrypted(thing: object, url: str, cure: str = "") -> None:
    """InputError if credentials that are sent to `url` could be read on the way; `cure` is another way to allow it."""
    if is_encrypted(url) or _origin(url) in map(_origin, os.environ.get(VARIABLE, "").split()):
        return
    other = cure or f"list it in {VARIABLE}"
    raise InputError(thing, "https, because credentials are sent", address(url), f"use https, or {other}")


def is_encrypted(url: str) -> bool:
    """Whether nobody on the way to a URL can read what is sent: it is not http, or the way is short."""
    parts = urlsplit(url)
    return parts.scheme.lower() != "http" or is_near(parts.hostname or "")


def is_near(host: str) -> bool:
    """Whether a host is this machine, or a service of the cluster that this process runs in."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith((".localhost", *WITHIN_A_CLUSTER)):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port
