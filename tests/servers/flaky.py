"""A way to a server on which faults happen: a 503, a connection that is reset, an answer that breaks off."""

import http.client
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.servers.http import serving

PER_HOP = {"Transfer-Encoding", "Connection", "Date", "Server"}


class Faults:
    """What befalls the next requests, in their order; after the last, `forever`. Counts the requests."""

    def __init__(self, *first: str, forever: str = "") -> None:
        self.rest, self.forever, self.count = list(first), forever, 0

    def next(self) -> str:
        """The fault of this request; none is an empty text."""
        self.count += 1
        return self.rest.pop(0) if self.rest else self.forever


@contextmanager
def flaky(server: str, faults: Faults) -> Iterator[str]:
    """The address of a server in front of `server`."""
    place = urlsplit(server).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body, fault = self.rfile.read(int(self.headers.get("Content-Length") or 0)), faults.next()
            if fault == "503":
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif fault == "reset":
                self._reset()
            else:
                self._forward(body, broken=fault == "broken off")

        do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def _forward(self, body: bytes, broken: bool) -> None:
            connection = http.client.HTTPConnection(place, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            length = answer.headers.get("Content-Length") if self.command == "HEAD" else str(len(content))
            for name, value in {**dict(answer.headers), "Content-Length": length or "0"}.items():
                if name not in PER_HOP:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if broken else content)
            if broken:
                self.wfile.flush()
                self._reset()

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"
