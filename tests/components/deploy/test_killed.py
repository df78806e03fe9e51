"""Deploy killed between any two changes of the store, and run again: one version, one entry, the same record."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mlflow import MlflowClient

from tests.tidegate.tracking.conftest import credentials, secured
from tests.tiers import large
from tidegate.tracking.journal import history
from tidegate.tracking.numbered import listed
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

__all__ = ["secured"]
root = Path(__file__).parents[3]
Rounds = Callable[..., int]
most = 16  # changes; there are fewer


def trial(world: "World", change: int, uri: str = "") -> dict[str, Any]:
    flags = {name: str(value) if isinstance(value, Path) else value for name, value in world.flags("deploy").items()}
    return {"uri": uri or f"sqlite:///{world.folder}/mlflow.db", "change": change, "flags": flags}


def ends(folder: Path, trials: list[dict[str, Any]]) -> list[int]:
    """How each trial ended."""
    (folder / "trials.json").write_text(json.dumps(trials))
    found = subprocess.run(
        [sys.executable, str(root / "tests/components/deploy/killed.py"), str(folder / "trials.json")],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line) for line in found.stdout.splitlines() if line.lstrip("-").isdigit()]


def served(world: "World", monkeypatch: pytest.MonkeyPatch) -> tuple[str, str | None]:
    """The champion by its alias, and by the journal, as a killed process left them."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.folder}/mlflow.db")
    client = connect()
    return str(client.get_registered_model("toy").aliases["champion"]), history(client, "toy").champion


def registered(client: MlflowClient, name: str) -> tuple[int, int, list[tuple[str | None, str]], str]:
    """How many versions and entries there are, the entries that counted, the champion's alias."""
    counted = history(client, name).counted
    return (
        len(listed(client, name)),
        len(listed(client, f"{name}.journal")),
        [(entry.before, entry.to) for entry in counted],
        str(client.get_registered_model(name).aliases["champion"]),
    )


def test_on_one_machine_at_every_point(
    judged: "World", tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, rounds: Rounds
) -> None:
    folder = tmp_path_factory.mktemp("trials")
    worlds = [judged.copy(folder / str(change)) for change in range(1, most)]
    killed = ends(folder, [trial(world, change) for change, world in enumerate(worlds, start=1)])
    points = killed.count(-signal.SIGKILL)
    assert killed == [-signal.SIGKILL] * points + [0] * (len(worlds) - points)
    rounds(points)
    assert points >= 7  # version, entry, alias, length, file and digest of the record, end
    hit = worlds[:points]
    seen = [served(world, monkeypatch) for world in hit]
    assert [alias for alias, _ in seen] == sorted(alias for alias, _ in seen)  # first the old one, then the new one
    assert set(seen) == {("1", "1"), ("1", "2"), ("2", "2")}  # the alias follows the journal, and never leads
    assert ends(folder, [trial(world, most) for world in hit]) == [0] * points
    releases = [world.json("release") for world in [*hit, worlds[-1]]]
    assert all(release == releases[0] for release in releases)
    for world in hit:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.folder}/mlflow.db")
        assert registered(connect(), "toy") == (2, 2, [(None, "1"), ("1", "2")], "2"), world.folder.name


@pytest.fixture
def on_server(secured: str, world: "World", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["World"]:
    """The first batch up to its verdict, on a server with Postgres where one signs in."""
    for key, value in {"MLFLOW_TRACKING_URI": secured, **credentials}.items():
        monkeypatch.setenv(key, value)
    world.edit("contract.yaml", ("name: toy", f"name: {tmp_path.name}"))
    world.run("ingest", "validate", "featurize", "gate", "train", "evaluate")
    yield world


def moments(seed: int) -> list[int]:
    """Before which changes it is killed: at first one further each time, then as drawn."""
    drawn = random.Random(seed)
    return [drawn.randint(1, 4) for _ in range(8)] if seed else [1, 2, 2, 2, 3, 2, 2, 3]


@pytest.mark.parametrize("seed", range(large(20, 1)))
def test_on_a_server_whenever_it_is_killed(
    on_server: "World", secured: str, tmp_path: Path, seed: int, rounds: Rounds
) -> None:
    *killed, last = ends(tmp_path, [trial(on_server, change, secured) for change in [*moments(seed), most]])
    assert last == 0
    rounds(killed.count(-signal.SIGKILL))
    first = on_server.json("release")
    assert registered(connect(), tmp_path.name) == (1, 1, [(None, "1")], "1")
    assert ends(tmp_path, [trial(on_server, most, secured)]) == [0]  # a retry after success
    assert on_server.json("release") == first
    assert registered(connect(), tmp_path.name) == (1, 1, [(None, "1")], "1")


def test_two_at_once_agree(on_server: "World", tmp_path: Path) -> None:
    flags = [text for name, path in on_server.flags("deploy").items() for text in (f"--{name}", str(path))]
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "tidegate", "step", "deploy", *flags],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    versions, _, counted, alias = registered(connect(), tmp_path.name)
    assert (versions, counted, alias) == (1, [(None, "1")], "1")
