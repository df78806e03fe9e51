"""A tracking server that goes away: asked again while it may come back, and told of when it does not."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.servers.http import serving
from tidegate.process import limits
from tidegate.process.errors import UnavailableTrackingError
from tidegate.tracking import patience, store

ANSWER = b'{"experiments": []}'


class Server:
    """Answers like an MLflow without experiments, but for a while; `asked` counts requests."""

    def __init__(self) -> None:
        self.faults: list[str] = []  # of the next requests
        self.forever = ""
        self.asked = 0
        self.uri = ""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.asked += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = server.faults.pop(0) if server.faults else server.forever
                if fault == "hang":
                    time.sleep(3)
                if fault in ("hang", "reset"):
                    self.close_connection = True
                    return
                answer = b"" if fault == "503" else ANSWER
                self.send_response(503 if fault == "503" else 200)
                self.send_header("Retry-After", "600")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, in the middle of a run; with the pauses of one that is away shortened."""
    found = Server()
    monkeypatch.setenv("DVC_STAGE", "gate")
    monkeypatch.setattr(limits, "TRACKING_PAUSE_SECONDS", 0.2)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "8")
    with serving(found.handler()) as port:
        found.uri = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", found.uri)
        yield found


def ask() -> None:
    with store.answering():
        assert not store.connect().search_experiments()


def test_the_defaults_bridge_half_a_minute_and_give_up_within_one() -> None:
    pauses = limits.TRACKING_PAUSES * limits.TRACKING_PAUSE_SECONDS
    assert pauses > 30
    assert pauses < 2 * limits.TRACKING_SECONDS + 2 * limits.TRACKING_PAUSE_SECONDS  # so silence is met twice
    assert pauses + limits.TRACKING_PAUSE_SECONDS < 60 and pauses + limits.TRACKING_SECONDS < 60


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_one_that_comes_back_is_not_missed(fault: str, server: Server) -> None:
    server.faults = [fault] * 7
    ask()
    assert server.asked > 7


@pytest.mark.parametrize(("fault", "attempts", "later"), [("503", 9, 1), ("reset", 9, 1), ("hang", 2, 0)])
def test_one_that_stays_away_is_told_in_one_line(fault: str, attempts: int, later: int, server: Server) -> None:
    """Later requests, such as one that marks the run as failed, are not as patient."""
    client = store.connect()
    server.forever = fault
    for expected in (attempts, later):
        server.asked = 0
        with pytest.raises(UnavailableTrackingError) as caught, store.answering():
            client.search_experiments()
        assert "\n" not in str(caught.value)
        assert server.asked == expected


def test_one_that_is_back_is_trusted_again(server: Server) -> None:
    server.forever = "503"
    with pytest.raises(UnavailableTrackingError):
        ask()
    server.forever = ""
    ask()
    server.faults = ["503"] * 4
    ask()


def test_a_server_that_refuses_connections_may_come_back(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store.connect()
    with serving(server.handler()) as port:
        pass  # a port on which nobody listens any more
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    with pytest.raises(UnavailableTrackingError, match="no connection"):
        ask()
    patience._given_up.clear()
    answered = threading.Event()

    def later() -> None:
        from http.server import HTTPServer

        time.sleep(0.2)
        with HTTPServer(("127.0.0.1", port), server.handler()) as back:
            back.timeout = 5
            while not answered.is_set():
                back.handle_request()

    thread = threading.Thread(target=later, daemon=True)
    thread.start()
    ask()
    answered.set()
