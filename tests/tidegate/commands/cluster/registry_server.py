"""A stand-in for an image registry: manifests by tag, and a token server, as the OCI distribution describes them."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.servers.http import QuietServer

DIGEST = f"sha256:{'a' * 64}"


class RegistryServer(QuietServer):
    """Has `images` (name:tag); `auth` is none, basic or bearer, for one account."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.images: set[str] = set()
        self.auth = ""
        self.account = ("ada", "password-of-ada")
        self.refresh_token = "refresh-of-ada"
        self.realm = f"http://{self.host}/token"
        self.received: list[str] = []

    @property
    def host(self) -> str:
        """Its name in an image's."""
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: RegistryServer

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Whether a manifest is there."""
        self.server.received.append(f"HEAD {self.path}")
        if not self._admitted():
            challenge = 'Basic realm="images"'
            if self.server.auth == "bearer":
                scope = f"repository:{self.path.split('/v2/')[1].split('/manifests/')[0]}:pull"
                challenge = f'Bearer realm="{self.server.realm}",service="images",scope="{scope}"'
            return self._send(401, **{"WWW-Authenticate": challenge})
        image = self.path.removeprefix("/v2/").replace("/manifests/", ":")
        found = image in self.server.images and "oci.image.index" in self.headers["Accept"]
        return self._send(200, **{"Docker-Content-Digest": DIGEST}) if found else self._send(404)

    def do_GET(self) -> None:
        """A token for an account, or for nobody."""
        query = parse_qs(urlsplit(self.path).query)
        self.server.received.append(f"GET {query['scope'][0]}")
        given = self.headers["Authorization"]
        if given and _pair(given) != self.server.account:
            return self._send(401)
        return self._send(200, f'{{"token": "{"good" if given else "for-nobody"}"}}')

    def do_POST(self) -> None:
        """A token for a refresh token."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.received.append(f"POST {form['grant_type'][0]}")
        good = form["refresh_token"] == [self.server.refresh_token]
        return self._send(200, '{"access_token": "good"}') if good else self._send(401)

    def _admitted(self) -> bool:
        given = self.headers["Authorization"] or ""
        if self.server.auth == "basic":
            return bool(given) and _pair(given) == self.server.account
        return given == "Bearer good" if self.server.auth == "bearer" else True

    def _send(self, status: int, text: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def serving() -> Iterator[RegistryServer]:
    """A registry that answers for as long as the block lasts."""
    with RegistryServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def _pair(header: str) -> tuple[str, ...]:
    return tuple(b64decode(header.removeprefix("Basic ")).decode().split(":"))
