"""Deploy on KServe, killed before and after each change that it makes there or in the journal, and run again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.components.deploy.conftest import ON_KSERVE, predictor
from tests.servers.kserve.cluster import KServeCluster, Service, document
from tidegate.tracking.journal import history
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

ROOT = Path(__file__).parents[3]
# The canary, all traffic, the entry, no canary.
POINTS = [
    (what, number, when)
    for what, number in (("patch", 1), ("patch", 2), ("entry", 1), ("patch", 3))
    for when in ("before", "after")
]


def trial(world: "World", point: tuple[str, int, str] | None) -> dict[str, Any]:
    given = {**ON_KSERVE, "service": f"{world.folder.name}/toy", "watch_seconds": 0}
    flags = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in world.flags("deploy", **given).items()
    }
    return {"uri": f"sqlite:///{world.folder}/mlflow.db", "point": point, "flags": flags}


def ends(folder: Path, trials: list[dict[str, Any]]) -> list[int]:
    """How each trial ended."""
    (folder / "trials.json").write_text(json.dumps(trials))
    found = subprocess.run(
        [sys.executable, str(ROOT / "tests/components/deploy/killed_on_kserve.py"), str(folder / "trials.json")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    codes = [int(line) for line in found.stdout.splitlines() if line.lstrip("-").isdigit()]
    assert len(codes) == len(trials), found.stderr
    return codes


def test_at_every_point(
    kserve: KServeCluster, judged: "World", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: Callable[..., int]
) -> None:
    worlds = [judged.copy(tmp_path / f"killed{number}") for number in range(len(POINTS))]
    services: list[Service] = []
    for world in worlds:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.folder}/mlflow.db")
        canary = _pinned(world, monkeypatch)
        services.append(kserve.apply(Service(document(world.folder.name), predictor(world), canary)))
    killed = ends(tmp_path, [trial(world, point) for world, point in zip(worlds, POINTS, strict=True)])
    assert killed == [-signal.SIGKILL] * len(POINTS)
    rounds(len(POINTS))
    canaries = [service.document["spec"].get("canary") for service in services]
    shares = [canary[0]["trafficPercent"] if canary else None for canary in canaries]
    assert shares == [None, 40, 40, 100, 100, 100, 100, None]
    assert ends(tmp_path, [trial(world, None) for world in worlds]) == [0] * len(POINTS)
    for world, service in zip(worlds, services, strict=True):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.folder}/mlflow.db")
        assert "canary" not in service.document["spec"]
        counted = history(connect(), "toy").counted
        assert [(entry.before, entry.to) for entry in counted] == [(None, "1"), ("1", "2")]
        assert world.json("release") == worlds[0].json("release") and world.json("release")["promoted"]


def _pinned(world: "World", monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """What makes the canaries of a world, whose store is not that of the environment by then."""

    def made(version: str) -> Any:
        with monkeypatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{world.folder}/mlflow.db")
            pinned = predictor(world, version)
            pinned("GET", "/v2/models/toy/ready", b"")
            return pinned

    return made
