"""What takes long to build and many tests begin with: made once in a run, by whichever process needs it first."""

import fcntl
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """The folder that `build` fills; the other processes of the run wait for it, then use it: read it, and copy it.

    What a builder left that failed or was killed is thrown away, and whoever waited builds anew.
    """
    worlds = _shared(factory) / "worlds"
    folder, done = worlds / name, worlds / f"{name}.done"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (worlds / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system takes it from whoever ends
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            done.touch()
    return folder


def _shared(factory: pytest.TempPathFactory) -> Path:
    """The folder of the run; below it each process has its own."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def unpacked(factory: pytest.TempPathFactory, archive: Path) -> Path:
    """The workspace of an archive in `tests/formats`, as whoever upgrades has it; read it, and copy it."""

    def unpack(folder: Path) -> None:
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="tar")
        move_store(folder / "orders/mlflow.db", "/tmp/orders", str(folder / "orders"))

    return once(factory, f"format-{archive.name}", unpack) / "orders"


def move_store(database: Path, before: str, after: str) -> None:
    """Name another folder in a tracking store in sqlite: a store that is moved keeps where its files were."""
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()  # MLflow remembers by run where its files were
    places = [
        ("experiments", "artifact_location"),
        ("runs", "artifact_uri"),
        ("logged_models", "artifact_location"),
        ("model_versions", "storage_location"),
        ("model_versions", "source"),
    ]
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in places:
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (before, after))
