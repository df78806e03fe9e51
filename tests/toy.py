"""What the tests of the components share: a small problem with known answers, and stores that are copied, not made."""

import inspect
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.workspaces import fork_servers
from tests.worlds import move_store, once
from tidegate.documents.batch import Batch
from tidegate.documents.digests import digests
from tidegate.documents.document import checksum
from tidegate.documents.formats import read_json, read_text, write_json
from tidegate.documents.verdict import Verdict

root = Path(__file__).parents[1]
CONTRACT = """\
name: toy
purpose: Will an order come back?
task: binary
event: orders
label: returned
label_delay: 1d
horizon: 6h
block: 1d
slices: []
tables:
  orders:
    files: orders.csv
    missing: NA
    time: at
    key: [at, id]
    columns:
      at: {type: timestamp}
      id: {type: integer}
      shop: {type: text, values: [north, south]}
      price: {type: number, unit: EUR, range: [0, 1000], nullable: true}
      customer: {type: text, role: private, nullable: true}
      kept_days: {type: integer, role: outcome, unit: d, range: [0, 99], nullable: true}
  rates:
    files: rates.csv
    missing: NA
    time: at
    key: [at]
    columns:
      at: {type: timestamp}
      rate: {type: number, nullable: true}
"""
SQL = """\
SELECT orders.at, orders.id, orders.kept_days < 14 AS returned, orders.shop, orders.price, rates.rate
FROM orders ASOF LEFT JOIN rates ON orders.at - INTERVAL 6 HOURS >= rates.at
"""
MODEL = """\
estimator: sklearn.ensemble.HistGradientBoostingClassifier
parameters: {max_iter: 30, max_leaf_nodes: 6, min_samples_leaf: 20, random_state: 0}
"""
SCALARS: dict[str, Any] = {
    "until": "2024-04-01",
    "batch_days": 28,
    "max_bad_share": 0.01,
    "publish": "",
    "window_days": 365,
    "mode": "auto",
    "off": "",
    "sample_rows": 500,
    "minimum_rows": 100,
    "false_alarm_rate": 0.05,
    "minimum_effect": 0.3,
    "prediction_drift": 0.6,
    "label_drift": 0.3,
    "decay": 0.1,
    "together": 0.3,
    "slice_drift": 0.6,
    "estimate": 0.0,
    "max_age_days": 365,
    "cooldown_days": 0,
    "max_refused": 3,
    "refused_days": 90,
    "margin": 0.0,
    "slice_rows": 100,
    "calibration": 0.1,
    "leak": 0.99,
    "approval": "automatic",
    "sign": "",
    "target": "registry",
    "service": "",
    "canary_percent": 10,
    "watch_seconds": 60,
    "shadow": False,
    "recordings": "",
}
ENDINGS = {
    "report": ".html",
    "evidently": ".html",
    "gate": ".html",
    "model": ".skops",
    "baselines": ".skops",
    "retrain": "",
    **dict.fromkeys(("tables", "clean", "quarantine", "features", "reference"), ""),
}
GIVEN = {"data": "data", "contract": "contract.yaml", "sql": "features.sql", "estimator": "model.yaml"}


def orders(until: str = "2024-05-10", flipped_from: str = "2100-01-01", seed: int = 0) -> pd.DataFrame:
    """Twelve orders a day: unusual prices come back, from `flipped_from` on the usual ones do."""
    random = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", until, inclusive="left")
    at = days.repeat(12) + pd.to_timedelta(np.tile(np.arange(12) * 2, len(days)), unit="h")
    price = random.normal(50, 15, len(at)).clip(1).round(2)
    south = random.random(len(at)) < 0.4
    score = (abs(price - 50) - 10) / 3 * np.where(at < pd.Timestamp(flipped_from), 1, -1) + south
    kept = np.where(random.random(len(at)) < 1 / (1 + np.exp(-score)), 7, 30)
    return pd.DataFrame(
        {
            "at": at.strftime("%Y-%m-%d %H:%M:%S"),
            "id": np.arange(len(at)) + 1,
            "shop": np.where(south, "south", "north"),
            "price": price,
            "customer": [f"secret-{number}" for number in range(len(at))],
            "kept_days": kept,
        }
    )


def rates(until: str = "2024-05-10") -> pd.DataFrame:
    """One rate an hour."""
    at = pd.date_range("2023-12-31", until, freq="h", inclusive="left")
    rate = np.random.default_rng(1).normal(1, 0.1, len(at)).round(4)
    return pd.DataFrame({"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "rate": rate})


def flag_words(values: Mapping[str, Any]) -> list[str]:
    """The flags of a step with these values, as DVC and Kubeflow write them."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}
    return [word for name, text in texts.items() for word in (f"--{name}", text)]


@contextmanager
def forking() -> Iterator[None]:
    """Let the process that a step starts be a fork, as `tidegate run` does: its imports take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in fork_servers().items():
            patch.setenv(name, value)
        yield


class World:
    """The small problem in a folder of its own; a step's flags are its files there and the scalars, unless given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def lay(self, **tables: pd.DataFrame) -> None:
        """Write raw tables as CSV, nulls as NA."""
        (self / "data").mkdir(parents=True, exist_ok=True)
        for name, frame in tables.items():
            frame.to_csv(self / f"data/{name}.csv", index=False, na_rep="NA")

    def path(self, step: str, port: str) -> Path:
        """Where a step finds or writes the file of a port."""
        if port in GIVEN:
            return self / GIVEN[port]
        return self / (f"{step}.html" if port == "report" else f"{port}{ENDINGS.get(port, '.json')}")

    def flags(self, step: str, **given: Any) -> dict[str, Any]:
        """The arguments of a step's function."""
        names = inspect.signature(self.function(step)).parameters
        return {name: SCALARS.get(name, self.path(step, name)) for name in names} | given

    def function(self, step: str) -> Callable[..., Any]:
        """The function of a step's command."""
        found: Callable[..., Any] = getattr(import_module(f"tidegate.components.{step}.__main__"), step)
        return found

    def run(self, *steps: str, **given: Any) -> None:
        """Run steps in this process; a given argument goes to the steps that have it."""
        for step in steps:
            known = inspect.signature(self.function(step)).parameters
            flags = self.flags(step, **{name: given[name] for name in given if name in known})
            with forking():
                self.function(step)(**flags)

    def command(self, step: str, *before: str, **given: Any) -> "subprocess.CompletedProcess[str]":
        """Run a step as `tidegate run` does; with words before its own, which no fork would know, as Kubeflow does."""
        flags = flag_words(self.flags(step, **given))
        words = [*before, sys.executable, "-m", "tidegate", "step", step, *flags]
        environment = {**os.environ, **({} if before else fork_servers())}
        return subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=False)

    def here(self, step: str, **given: Any) -> "subprocess.CompletedProcess[str]":
        """The same words in this process: how they end and what they say, without the seconds that imports take."""
        from tidegate.commands.cli import main

        flags = flag_words(self.flags(step, **given))
        words, code = ["step", step, *flags], 0
        with forking(), redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            try:
                main(words)
            except SystemExit as ending:
                code = int(ending.code or 0)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def json(self, name: str) -> Any:
        """A document of the folder, without its checksum."""
        values = read_json(self / f"{name}.json")
        return {key: value for key, value in values.items() if key != "checksum"}

    def table(self, name: str) -> pd.DataFrame:
        """A Parquet table of the folder."""
        return pd.read_parquet(self / f"{name}.parquet")

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace texts in a file, each of which must be there."""
        text = read_text(self / name)
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        (self / name).write_text(text, encoding="utf-8")

    def rewrite(self, name: str, **changes: Any) -> None:
        """Change keys of a document as if the step had written it so."""
        values = self.json(name) | changes
        write_json(self / f"{name}.json", values | {"checksum": checksum(values)})

    def vouch(self) -> None:
        """Let the documents vouch for the tables as they are now."""
        for name, folders in {"findings": ("clean",), "batch": ("clean", "features")}.items():
            if (self / f"{name}.json").exists():
                self.rewrite(name, digests=digests(**{folder: self / folder for folder in folders}))

    def file_verdict(self, **changes: Any) -> None:
        """Change the verdict as if evaluate had written it so and filed it with the batch's run."""
        from tidegate.tracking import approvals, run_data
        from tidegate.tracking.batch_runs import batch_run
        from tidegate.tracking.store import connect

        self.rewrite("verdict", **changes)
        verdict, client = Verdict.read(self / "verdict.json"), connect()
        run_id = batch_run(client, Batch.read(self / "batch.json").name, verdict.batch, {})
        run_data.files(client, run_id, {approvals.FILE: approvals.text_of(verdict)}, approvals.place_of(verdict))

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the folder but the store's, with its bytes."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and "mlartifacts" not in path.parts and not path.name.startswith("mlflow.db")
        }

    def copy(self, folder: Path) -> "World":
        """The same state in another folder, its store included."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        if (folder / "mlflow.db").exists():
            move_store(folder / "mlflow.db", str(self.folder), str(folder))
        return World(folder)


def _new(folder: Path) -> World:
    world = World(folder)
    for name, text in {"contract.yaml": CONTRACT, "features.sql": SQL, "model.yaml": MODEL}.items():
        (folder / name).write_text(text)
    world.lay(orders=orders(), rates=rates())
    return world


def leave_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the outside decides what a step does; a store that a test forgets to name is in its own folder."""
    for name in [name for name in os.environ if name.startswith(("DVC_STAGE", "DVC_EXP", "MLFLOW_", "TIDEGATE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TIDEGATE_USER", "tester")
    monkeypatch.setenv("TIDEGATE_COMMIT", "c0ffee")


@pytest.fixture(scope="session")
def builders() -> dict[str, Callable[..., pd.DataFrame]]:
    """The builders of the raw tables."""
    return {"orders": orders, "rates": rates}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The small problem, nothing run."""
    return _new(tmp_path)


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    def build(folder: Path) -> None:
        _new(folder).run("ingest", "validate", "featurize")

    return World(once(tmp_path_factory, "prepared", build))


@pytest.fixture
def prepared(_prepared: World, tmp_path: Path) -> World:
    """The small problem up to its features, without a store."""
    return _prepared.copy(tmp_path)


@pytest.fixture(scope="session")
def _stored(_prepared: World, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    from tidegate.tracking.store import connect

    def build(folder: Path) -> None:
        shutil.copy(migrated, folder / "mlflow.db")
        with at(folder):
            connect()
        _prepared.copy(folder)

    return World(once(tmp_path_factory, "stored", build))


@pytest.fixture(scope="session")
def _trained(_stored: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    def build(folder: Path) -> None:
        with at(folder):
            _stored.copy(folder).run("gate", "train", "evaluate")

    return World(once(tmp_path_factory, "trained", build))


@pytest.fixture(scope="session")
def _released(_trained: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    def build(folder: Path) -> None:
        with at(folder) as patch:
            patch.setenv("TIDEGATE_USER", "tester")
            _trained.copy(folder).run("deploy")

    return World(once(tmp_path_factory, "released", build))


@pytest.fixture(scope="session")
def _judged(_released: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    def build(folder: Path) -> None:
        with at(folder):
            world = _released.copy(folder)
            world.lay(orders=orders(flipped_from="2024-03-04"))
            steps = ("ingest", "validate", "featurize", "gate", "train", "evaluate")
            world.run(*steps, until="2024-05-10", window_days=39)

    return World(once(tmp_path_factory, "judged", build))


@contextmanager
def at(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Let the store be that of a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        yield patch


def mine(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A copy of a shared world, whose store is that of the test."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    return world.copy(folder)


@pytest.fixture
def stored(_stored: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The small problem up to its features, with an empty store."""
    return mine(_stored, tmp_path, monkeypatch)


@pytest.fixture
def trained(_trained: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The first batch up to its verdict, which is accepted; nothing is registered."""
    return mine(_trained, tmp_path, monkeypatch)


@pytest.fixture
def released(_released: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The first batch released: version 1 is champion."""
    return mine(_released, tmp_path, monkeypatch)


@pytest.fixture
def judged(_judged: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """After the release the world turned over: a second batch up to its verdict, which is accepted over version 1."""
    return mine(_judged, tmp_path, monkeypatch)


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Runs a step's command line in this process; it must exit with 2, and only with lines of errors, returned."""
    from tidegate.process.command import run

    def lines(world: World, step: str, **given: Any) -> list[str]:
        flags = flag_words(world.flags(step, **given))
        capsys.readouterr()
        with forking(), monkeypatch.context() as patch, pytest.raises(SystemExit) as caught:
            patch.setattr(sys, "argv", ["", *flags])
            run(world.function(step))
        told = capsys.readouterr().err.splitlines()
        assert caught.value.code == 2
        assert told
        found = [line for line in told if line.startswith("error: ")]
        assert "Traceback" not in "".join(told)
        return [line.removeprefix("error: ") for line in found]

    return lines
