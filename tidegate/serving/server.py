"""kserve's model server around the champion: REST and gRPC, started, drained and ended together."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from kserve import ModelServer
from kserve.protocol.dataplane import DataPlane

from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.serving.app import application
from tidegate.serving.champion_model import ChampionModel
from tidegate.serving.grpc import Servicer
from tidegate.serving.grpc import server as grpc_server
from tidegate.serving.rest import Rest

BACKLOG = 2048


class Plane(DataPlane):  # type: ignore[misc]
    """kserve's data plane, which is ready only when the model is."""

    async def ready(self) -> bool:
        """Whether every model is."""
        return all([await model.healthy() for model in self.model_registry.get_models().values()])


class _Uvicorn(uvicorn.Server):
    """Without its own handlers of signals: the server around it drains."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ChampionServer(ModelServer):  # type: ignore[misc]
    """The server of one model at a host; a `grpc_port` of 0 is none."""

    def __init__(self, model: ChampionModel, host: str, port: int, grpc_port: int) -> None:
        logging.getLogger("kserve").addHandler(logging.NullHandler())  # or each refused request would be a traceback
        super().__init__(http_port=port, grpc_port=grpc_port, workers=1, enable_latency_logging=False)
        self.model, self.host = model, host
        self.dataplane = Plane(model_registry=self.registered_models)
        self.register_model(model)
        self._listening = listening(host, port)

    @property
    def address(self) -> str:
        """Where REST is."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self._listening.getsockname()[1]}"

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then answer what was accepted, and return."""
        sys.setswitchinterval(limits.SWITCH_SECONDS)
        asyncio.run(self._run())

    async def _run(self) -> None:
        app = application(self.model, self.dataplane)
        config = uvicorn.Config(
            Rest(app, self.model),
            log_config=None,
            access_log=False,
            timeout_keep_alive=self.timeout_keep_alive,
            timeout_graceful_shutdown=limits.SERVE_DRAIN_SECONDS,
            lifespan="off",
            server_header=False,
        )
        rest, grpc, ended = _Uvicorn(config), self._grpc(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, rest, ended)
        if grpc:
            await grpc.start()
        following = threading.Thread(target=self.model.follower.follow, name="follow", daemon=True)
        following.start()
        if self.model.recorder:
            self.model.recorder.start()
        await asyncio.gather(rest.serve(sockets=[self._listening]), _stop(grpc, ended))
        if self.model.recorder:
            self.model.recorder.close()

    def _grpc(self) -> Any:
        if not self.grpc_port:
            return None
        servicer = Servicer(self.dataplane, self.model)
        return grpc_server(servicer, f"{self.host}:{self.grpc_port}", self.model.follower.settings.max_bytes)

    def _end(self, rest: uvicorn.Server, ended: asyncio.Event) -> None:
        """Be ready no more, and take no new connections."""
        self.model.ending = True
        self.model.follower.end()
        rest.should_exit = True
        ended.set()


async def _stop(grpc: Any, ended: asyncio.Event) -> None:
    """Stop the server of gRPC, if there is one, at the end: while REST answers what it has accepted, so does this."""
    await ended.wait()
    if grpc:
        await grpc.stop(limits.SERVE_DRAIN_SECONDS)


def listening(host: str, port: int) -> socket.socket:
    """A socket at a port of this machine; InputError when it is not free."""
    try:
        listener = socket.create_server((host, port), backlog=BACKLOG, family=_family(host))
        # Its connections inherit it: an answer is two writes, and the second would wait 40 ms for the client.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "a number that is none"
        raise InputError(f"--port {port}", "a free port of this machine", reason, "choose another one") from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
