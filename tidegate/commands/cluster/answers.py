"""Translates errors of Kubeflow's API into one-line errors with a cure."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import urllib3.exceptions as http
from kfp_server_api.exceptions import ApiException

from tidegate.process.errors import InputError

EXPECTED = "an API that answers"
HOST = "correct --host (KFP_ENDPOINT), or open the way to it (kubectl port-forward, VPN)"
SIGN_IN = "sign in anew: KFP_EXISTING_TOKEN, KFP_COOKIES or --token-file"
RIGHT = "ask for that right: k8s/base/tasks/submit.yaml has those that are needed"
WAIT = "wait, or look at the pods of ml-pipeline"
STATUSES: Mapping[int, tuple[str, str]] = {
    401: ("401 (not signed in)", SIGN_IN),
    403: ("403 (refused)", f"{SIGN_IN}; or --namespace is not yours"),
    404: ("404 (no such thing there)", "correct --host, --namespace or the id"),
    502: ("502 (not ready)", WAIT),
    503: ("503 (not ready)", WAIT),
    504: ("504 (not ready)", WAIT),
}
LACKING = re.compile(r"cannot \w+ resource")  # the message of Kubernetes itself, before the request reaches Kubeflow
# The first that is in the reason of a connection that was not made.
REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (http.NameResolutionError, "no such host", HOST),
    (http.NewConnectionError, "no connection", HOST),
    (http.ConnectTimeoutError, "no answer", HOST),
    (http.ReadTimeoutError, "no answer", HOST),
    (http.ProxyError, "a proxy that does not let through", "correct --proxy or NO_PROXY"),
    (http.SSLError, "a certificate that is not trusted", "name its authority with --ssl-ca-cert"),
)


class UnreachableError(InputError):
    """The server did not answer or is not ready; a retry may succeed."""


@contextmanager
def answering(where: str) -> Iterator[None]:
    """Translate errors of requests into InputError, without the original error, which may contain a secret."""
    try:
        yield
    except ApiException as error:
        raise _error(where, error) from None
    except http.HTTPError as error:
        raise _unreachable(where, error) from None
    except TimeoutError as error:
        raise UnreachableError(where, EXPECTED, str(error), HOST) from None


def _error(where: str, error: ApiException) -> InputError:
    status = int(error.status or 0)
    found, cure = STATUSES.get(status, (f"{status} (failed)" if status else str(error.reason), "see its log"))
    message = _message(error.body)
    cure = RIGHT if status == 403 and LACKING.search(message) else cure
    kind = UnreachableError if status >= 500 else InputError
    return kind(where, EXPECTED, f"{found}: {message}" if message else found, cure)


def _message(body: object) -> str:
    """The message in an answer of Kubeflow or Kubernetes; empty for other answers, such as HTML pages."""
    try:
        document = json.loads(str(body))
    except ValueError:
        return ""
    text = document.get("message") or document.get("error") or "" if isinstance(document, dict) else ""
    return " ".join(str(text).split())[:300]


def _unreachable(where: str, error: http.HTTPError) -> InputError:
    reason = getattr(error, "reason", None) or error
    for kind, found, cure in REASONS:
        if isinstance(reason, kind):
            return UnreachableError(where, EXPECTED, found, cure)
    return UnreachableError(where, EXPECTED, type(reason).__name__, HOST)
