"""A tracking server that may answer later is told from one that a person has to look after."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from mlflow.exceptions import MlflowException

from tidegate.process.errors import TrackingError, UnavailableError
from tidegate.tracking import store


@contextmanager
def server(status: int) -> Iterator[str]:
    """A server that answers everything so."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    found = HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()


@pytest.mark.parametrize(
    ("status", "passes"), [(503, True), (502, True), (500, True), (401, False), (403, False), (404, False)]
)
def test_a_server_in_trouble_may_answer_later(status: int, passes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(status) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(TrackingError) as caught:
            store.connect()
    assert isinstance(caught.value, UnavailableError) == passes, caught.value


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("API request to http://x failed: Read timed out.", True),
        ("HTTPConnectionPool: Max retries exceeded (Caused by ResponseError('too many 503 error responses'))", True),
        ("API request failed with error code 502 != 200. Response body: ''", True),
        ("RESOURCE_DOES_NOT_EXIST: no such run", False),
        ("API request failed with error code 403 != 200", False),
    ],
)
def test_what_happens_in_the_middle_is_told_apart_as_well(message: str, passes: bool) -> None:
    with pytest.raises(TrackingError) as caught, store.answering("the server"):
        raise MlflowException(message)
    assert isinstance(caught.value, UnavailableError) == passes
