"""How long a request waits for a tracking server that is away: MLflow counts attempts, which take seconds or minutes.

A server that refuses, resets or answers 503 is asked every few seconds; one that says nothing is asked twice. After a
request has given up, the next ones do so at once for a while: a step that ends for want of the server ends soon.
"""

import time
from typing import Any

from mlflow.utils import request_utils
from requests import PreparedRequest, Response
from requests.exceptions import ConnectionError, RequestException, Timeout
from requests.utils import rewind_body
from urllib3.util import Retry

from tidegate.process import limits

_given_up: dict[str, tuple[float, bool]] = {}  # by server: when a request gave up, and whether nothing was said


class PatientAdapter(request_utils.TCPKeepAliveHTTPAdapter):
    """Sends a request until a server answers, or has been away for MLFLOW_HTTP_REQUEST_MAX_RETRIES pauses.

    What counts is the time that is waited for the server, so a machine that is suspended or starved waits longer.
    """

    def __init__(self, max_retries: Retry, **more: Any) -> None:
        self.passing = frozenset(max_retries.status_forcelist or ())
        self.pauses = int(max_retries.total or 0)
        super().__init__(max_retries=0, **more)

    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        """The answer, at last also one that says that the server is away; ConnectionError or Timeout without one."""
        server = str(request.url).partition("://")[2].partition("/")[0]
        rest = self._seconds_for(server)
        while True:
            outcome = self._attempt(request, *args, **more)
            if isinstance(outcome, Response) and outcome.status_code not in self.passing:
                _given_up.pop(server, None)
                return outcome
            rest -= _waited(outcome, more.get("timeout")) + limits.TRACKING_PAUSE_SECONDS
            if rest < 0:
                _given_up[server] = time.monotonic(), isinstance(outcome, Timeout)
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome
            time.sleep(limits.TRACKING_PAUSE_SECONDS)
            if isinstance(getattr(request, "_body_position", None), int):
                rewind_body(request)

    def _seconds_for(self, server: str) -> float:
        since, silent = _given_up.get(server, (0.0, False))
        if not since or time.monotonic() - since > limits.TRACKING_AWAY_SECONDS:
            return self.pauses * limits.TRACKING_PAUSE_SECONDS
        if silent:
            raise ConnectionError(f"no answer of {server} a moment ago")
        return 0.0

    def _attempt(self, request: PreparedRequest, *args: Any, **more: Any) -> Response | RequestException:
        try:
            return super().send(request, *args, **more)
        except (ConnectionError, Timeout) as error:
            return error


def _waited(outcome: object, timeout: object) -> float:
    """How long one attempt has waited."""
    return float(timeout) if isinstance(outcome, Timeout) and isinstance(timeout, int | float) else 0.0


def install() -> None:
    """Let MLflow send its requests so."""
    if request_utils.TCPKeepAliveHTTPAdapter is not PatientAdapter:
        request_utils.TCPKeepAliveHTTPAdapter = PatientAdapter  # type: ignore[misc]
        request_utils._cached_get_request_session.cache_clear()
