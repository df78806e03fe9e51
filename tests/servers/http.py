"""Files and git repositories over HTTP, for those who have the token."""

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.servers import GIT_TOKEN


@contextmanager
def files(folder: Path, token: str = "") -> Iterator[str]:
    """A folder over HTTP, with a page that lists it, for those who have the bearer token if there is one."""

    class Handler(SimpleHTTPRequestHandler):
        def send_head(self) -> Any:
            if token and self.headers.get("Authorization") != f"Bearer {token}":
                return self.send_error(403)
            return super().send_head()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(partial(Handler, directory=str(folder))) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def git(folder: Path) -> Iterator[str]:
    """The git repositories of a folder over HTTP, by git's own program, for those who have GIT_TOKEN as password."""
    allowed = {f"Basic {base64.b64encode(f'{user}:{GIT_TOKEN}'.encode()).decode()}" for user in ("git", "robot")}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") not in allowed:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = subprocess.run(
                ["git", "http-backend"],
                input=body,
                env={**os.environ, **self._environment(path, query)},
                check=True,
                capture_output=True,
            ).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in {**fields, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def _environment(self, path: str, query: str) -> dict[str, str]:
            return {
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": "tester",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


class QuietServer(ThreadingHTTPServer):
    """A client that hangs up is no error: what it had kept open it resets when it ends."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print a traceback of any other error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server with that handler; gives its port."""
    with QuietServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
