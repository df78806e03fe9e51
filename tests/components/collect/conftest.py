"""A problem whose data comes from somewhere else, its remote, and the command that brings them together."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.durations import HANGING
from tests.servers.programs import postgres, s3
from tidegate.components.collect.__main__ import collect
from tidegate.components.pull.fetch import materialise
from tidegate.contract.contract import Contract, parse_contract
from tidegate.process.errors import REFUSED
from tidegate.tables.raw import texts

root = Path(__file__).parents[3]
CONTRACT = """\
name: toy
purpose: Will an order come back?
task: binary
event: orders
label: returned
label_delay: 1d
horizon: 6h
block: 1d
tables:
  orders:
    files: orders/*.csv
    missing: NA
    time: at
    key: [id]
    source: SOURCE
    columns:
      at: {type: timestamp}
      id: {type: integer}
      price: {type: number, nullable: true}
      note: {type: text, role: outcome, nullable: true}
      updated: {type: timestamp, role: private}
"""
HEADER = "at,id,price,note,updated"


class Problem:
    """A contract with one source, a remote, and the version that was handed on last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remote = str(folder / "remote")
        self.source, self.contract = "", CONTRACT
        self.given = ""

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def lay(self, name: str, *rows: str) -> None:
        """A file of the source, its columns as the contract has them."""
        path = self / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([HEADER, *rows]) + "\n")

    def flags(self, **other: Any) -> dict[str, Any]:
        """The arguments of the step."""
        usual = {
            "current_data_dvc": self.given,
            "contract_yaml": self.contract.replace("SOURCE", self.source),
            "remote": self.remote,
            "fetch": True,
            "requested_until": "2024-06-01",
            "scheduled": "{{$.pipeline_job_schedule_time_utc}}",
            "created": "",
            "repository": "",
            "commit": "",
            "data_dvc": self / "handed.dvc",
            "until": self / "until",
        }
        return usual | other

    def collect(self, **other: Any) -> str:
        """Run the step in this process; returns what it hands on, which is given to the next."""
        collect(**self.flags(**other))
        self.given = (self / "handed.dvc").read_text()
        return self.given

    def command(self, **other: Any) -> list[str]:
        """The step as a command."""
        words = {
            name: str(value).lower() if value is True else str(value) for name, value in self.flags(**other).items()
        }
        return [
            *(sys.executable, "-m", "tidegate", "step", "collect"),
            *(f"--{name}={word}" for name, word in words.items()),
        ]

    def started(self, **other: Any) -> "subprocess.Popen[bytes]":
        """The command, running."""
        return subprocess.Popen(self.command(**other), cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fails(self, code: int = REFUSED, **other: Any) -> str:
        """The one line with which the command fails; it hands nothing on, and tells nothing else."""
        command = self.command(**other)
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=HANGING)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done.stderr
        assert not (self / "handed.dvc").exists()
        return done.stderr.removeprefix("error: ").strip()

    def rows(self, data_dvc: str | None = None) -> dict[str, tuple[Any, ...]]:
        """The rows of a version by their key, as pull brings it from the remote and ingest reads it."""
        target = self / "pulled"
        materialise(self.given if data_dvc is None else data_dvc, self.remote, target)
        contract: Contract = parse_contract(self.flags()["contract_yaml"])
        table = contract.tables["orders"]
        with duckdb.connect() as connection:
            relation = texts(connection, sorted(target.glob(table.files)), table.missing)
            found = connection.execute(f"SELECT id, * EXCLUDE (id) FROM ({relation})").fetchall()
        assert len({row[0] for row in found}) == len(found)
        return {row[0]: row[1:] for row in found}

    def listed(self) -> list[str]:
        """The versions on a remote that is a folder, oldest first."""
        return sorted(path.name for path in Path(self.remote, "tidegate/versions").glob("*"))


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Problem:
    """The problem with files as its source, and nothing collected yet."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    found = Problem(tmp_path)
    found.source = f"{{files: '{tmp_path}/exports/*.csv'}}"
    found.lay("exports/a.csv", "2024-01-01,1,1.5,a,2024-01-01", "2024-01-02,2,NA,b,2024-01-02")
    return found


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The connection string of a Postgres server."""
    with postgres() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """The endpoint of an S3-compatible store with the bucket `bucket`."""
    with s3("bucket") as endpoint:
        yield endpoint


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, str]]:
    """Credentials for S3 in the environment, as a cluster's secret puts them there."""
    secrets = {"AWS_ACCESS_KEY_ID": "AKIAOFTHETESTS", "AWS_SECRET_ACCESS_KEY": "the/secret+of+the+tests"}
    for name, value in {**secrets, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    return lambda: {name: os.environ[name] for name in secrets}
