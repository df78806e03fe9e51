"""A proxy before a server, which counts what is asked of it: a client that counted itself could miss some."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.servers.http import QuietServer

NO_BUCKET = b'{"error_code": "INTERNAL_ERROR", "message": "(NoSuchBucket) when calling the PutObject operation"}'


class CountingServer(QuietServer):
    """Hands every request on to `target`; `asked` are their methods and paths.

    A request whose path has `refused` in it is answered as MLflow answers without the bucket of its store.
    """

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = urlsplit(target).netloc
        self.asked: list[str] = []
        self.refused = "\0"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: CountingServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def handle_any(self) -> None:
        """Hand it on, and its answer back."""
        self.server.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.refused in self.path:
            return self._send(500, [], NO_BUCKET)
        connection = http.client.HTTPConnection(self.server.target)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        self._send(answer.status, answer.getheaders(), answer.read())
        return connection.close()

    def _send(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815


@contextmanager
def counting(target: str) -> Iterator[CountingServer]:
    """A proxy that answers for as long as the block lasts."""
    with CountingServer(target) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
