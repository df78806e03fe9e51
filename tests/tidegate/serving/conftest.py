"""A server of the small problem in this process: its application is asked without a network."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
from kserve import ModelRepository

from tidegate.serving.app import application
from tidegate.serving.champion_model import ChampionModel
from tidegate.serving.follower import Follower
from tidegate.serving.options import Settings
from tidegate.serving.rest import Rest
from tidegate.serving.server import Plane

if TYPE_CHECKING:
    from tests.toy import World

EVENT = {"at": "2024-03-31T22:00:00", "id": 1092, "shop": "north", "price": 44.25}
FEATURES = {"shop": "south", "price": 20.5, "rate": 1.125}


class Said(NamedTuple):
    """An answer: its status, its document and its headers."""

    status: int
    document: Any
    headers: httpx.Headers


class Server:
    """A model, asked as over HTTP; `lines` are what its follower told."""

    def __init__(self, world: "World", **settings: Any) -> None:
        self.lines: list[str] = []
        usual = Settings(str(world / "clean"), "accept", 1000, 100_000, 10, "", 1.0, 10)
        self.follower = Follower("toy", (), replace(usual, **settings), self.lines.append)
        self.model = ChampionModel(self.follower)
        models = ModelRepository()
        models.update(self.model)
        self.plane = Plane(model_registry=models)
        self.app = Rest(application(self.model, self.plane), self.model)

    def ask(self, path: str, content: Any = None, method: str = "POST", **headers: str) -> Said:
        """Ask once; a content that is no bytes is JSON."""
        body = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        given = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return asyncio.run(self._ask(path, body, method, given))

    async def _ask(self, path: str, body: bytes | None, method: str, headers: dict[str, str]) -> Said:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            found = await client.request(method, path, content=body, headers=headers)
        is_json = found.headers.get("content-type") == "application/json"
        return Said(found.status_code, found.json() if is_json else found.text, found.headers)

    def predict(self, *instances: Any) -> Said:
        """Ask for predictions of instances by V1."""
        return self.ask("/v1/models/toy:predict", {"instances": [*instances]})

    def infer(self, **inputs: tuple[str, list[Any]]) -> Said:
        """Ask for predictions by V2: the datatype and the data of each tensor."""
        tensors = [
            {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}
            for name, (datatype, data) in inputs.items()
        ]
        return self.ask("/v2/models/toy/infer", {"id": "7", "inputs": tensors})


@pytest.fixture
def serve(released: "World") -> Callable[..., Server]:
    """Makes servers of the released problem, which have looked for the champion; keywords are settings."""

    def made(**settings: Any) -> Server:
        server = Server(released, **settings)
        server.model.load()
        return server

    return made


@pytest.fixture
def server(serve: Callable[..., Server]) -> Iterator[Server]:
    """A server of the released problem."""
    yield serve()
