"""Checks that a registry has an image, with the credentials of `docker login`; downloads nothing."""

import re
import warnings
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import docker.auth
import requests
from docker.errors import DockerException

from tidegate.process.errors import InputError

ACCEPT = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)
# Docker Hub's name in image references differs from that of its server.
HUB, HUB_API = "docker.io", "registry-1.docker.io"
LOCAL = ("localhost", "127.0.0.1", "::1")
Credentials = Mapping[str, str]


def check(image: str, timeout: float) -> str:
    """The digest of an image by its tag; InputError when the registry lacks it or does not answer."""
    repository, _, tag = image.rpartition(":")
    with _answering(image):
        host, name = docker.auth.resolve_repository_name(repository)
        name = f"library/{name}" if host == HUB and "/" not in name else name
        url = f"{origin(host)}/v2/{name}/manifests/{tag}"
        with requests.Session() as session, warnings.catch_warnings(action="ignore"):
            session.auth = _as_it_is
            answer = session.head(url, headers={"Accept": ACCEPT}, timeout=timeout, allow_redirects=True)
            if answer.status_code == 401:
                headers = {"Accept": ACCEPT, "Authorization": _authorization(session, answer, host, image, timeout)}
                answer = session.head(url, headers=headers, timeout=timeout, allow_redirects=True)
    if answer.status_code != 200:
        raise _refused(image, host, answer.status_code)
    return str(answer.headers.get("Docker-Content-Digest", ""))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Prevents requests from replacing the token by a password in ~/.netrc."""
    return request


def origin(host: str) -> str:
    """The base URL of a registry: https, except on this machine."""
    return f"{'http' if _is_local(f'//{host}') else 'https'}://{HUB_API if host == HUB else host}"


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in LOCAL


def _authorization(
    session: requests.Session, answer: requests.Response, host: str, image: str, timeout: float
) -> str | None:
    """The header that answers the registry's challenge: basic credentials, or a token of its token server."""
    scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
    credentials = _credentials(host)
    if scheme.lower() != "bearer":
        return _basic(credentials) if credentials else None
    challenge = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = challenge.pop("realm", "")
    if not realm.startswith("https://") and not _is_local(realm):
        raise InputError(image, "a token server over https", realm or "none", "ask who runs the registry")
    query = {key: challenge[key] for key in ("service", "scope") if key in challenge}
    if credentials.get("identitytoken"):
        form = {
            **query,
            "grant_type": "refresh_token",
            "refresh_token": credentials["identitytoken"],
            "client_id": "tidegate",
        }
        response = session.post(realm, data=form, timeout=timeout)
    else:
        headers = {"Authorization": _basic(credentials)} if credentials else {}
        response = session.get(realm, params=query, headers=headers, timeout=timeout)
    if response.status_code != 200:
        raise _refused(image, host, response.status_code)
    document = response.json()
    return f"Bearer {document.get('token') or document.get('access_token')}"


def _credentials(host: str) -> Credentials:
    """The credentials for this host in Docker's config.json or its credential helper; empty without any."""
    entry = docker.auth.load_config().resolve_authconfig(host) or {}
    return {key.lower(): value for key, value in entry.items() if value}


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.get('username', '')}:{credentials.get('password', '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _refused(image: str, host: str, status: int) -> InputError:
    cures = {
        404: ("nothing under this tag", "build and push it: make images, docker push"),
        401: ("401 (not signed in)", f"run `docker login {host}`"),
        403: ("403 (refused)", f"run `docker login {host}` as somebody who may read it"),
    }
    found, cure = cures.get(status, (str(status), "ask again later"))
    return InputError(image, "an image in its registry", found, cure)


@contextmanager
def _answering(image: str) -> Iterator[None]:
    try:
        yield
    except requests.exceptions.SSLError:
        found, cure = "a certificate that is not trusted", "name its authority in REQUESTS_CA_BUNDLE"
        raise InputError(image, "a registry that answers", found, cure) from None
    except requests.RequestException as error:
        found = "no answer" if isinstance(error, requests.Timeout) else "no connection"
        cure = "correct image.repository in cluster.yaml, or check the network"
        raise InputError(image, "a registry that answers", found, cure) from None
    except DockerException as error:
        raise InputError(
            image, "credentials that can be read", str(error)[:200], "check ~/.docker/config.json or its helper"
        ) from None
