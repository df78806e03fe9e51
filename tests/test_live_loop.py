"""The loop closed on live traffic: asked about July by the hour, a champion of winter is noticed, and replaced."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import httpx

from tests.durations import HANGING
from tests.servers.programs import free_port
from tests.workspaces import Workspace

ROOT = Path(__file__).parents[1]
START, END = "2013-07-18", "2013-08-01"
LATER, LAST = "2013-08-04", "2013-08-18"


# The server as a program whose clock stands where the file says: for the rest of the machine time goes on.
PROGRAM = """
import datetime, pathlib, sys
from tidegate.serving import champion_model

class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromisoformat(pathlib.Path(sys.argv[1]).read_text()).replace(tzinfo=tz)

champion_model.datetime = Clock
from tidegate.commands.cli import main
main(["serve", *sys.argv[2:]])
"""


class Server:
    """`tidegate serve` with a clock that the test sets."""

    def __init__(self, process: "subprocess.Popen[str]", clock: Path) -> None:
        assert process.stdout is not None
        self.process, self._clock = process, clock
        while not (line := process.stdout.readline()).startswith("curl "):
            assert line, process.wait(HANGING)
        words = shlex.split(line)
        self._url, body = words[1], json.loads(words[words.index("-d") + 1])
        self.fields = list(body["instances"][0])

    def ask(self, moment: str, instances: list[dict[str, Any]]) -> str:
        """Ask as if it were that moment; returns the version that answered."""
        self._clock.write_text(moment)
        answer = httpx.post(self._url, json={"instances": instances}, timeout=HANGING)
        assert answer.status_code == 200, answer.text
        version: str = answer.json()["model_version"]
        return version


@contextmanager
def serving(workspace: Workspace, folder: Path) -> Iterator[Server]:
    """A server of a workspace, until the test has done with it."""
    clock = folder / "clock"
    clock.write_text(f"{START} 00:00:00")
    words = [sys.executable, "-c", PROGRAM, str(clock), "--port", str(free_port()), "--grpc-port", "0"]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = {**workspace.environment, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=workspace.folder, env=environment, **streams) as process:
        try:
            yield Server(process, clock)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(HANGING)


def until_august(sample: Path, folder: Path) -> None:
    """The sample's files until the end of August, every fourth flight number."""
    shutil.copyfile(sample / "planes.csv", folder / "planes.csv")
    with duckdb.connect() as connection:
        for name, rows in {"flights": "flight::INTEGER % 4 = 0", "weather": "true"}.items():
            source = f"read_csv('{sample / name}.csv', all_varchar = true, header = true)"
            chosen = f"SELECT * FROM {source} WHERE month::INTEGER <= 8 AND {rows}"
            connection.execute(f"COPY ({chosen}) TO '{folder / name}.csv' (HEADER, NULLSTR 'NA')")


def clean_tables(workspace: Workspace, folder: Path) -> Path:
    """The clean tables of a data engineer, who refreshes them by the hour."""
    words = ["--tables", str(folder / "tables"), "--manifest", str(folder / "manifest.json")]
    given = ["--data", "data", "--contract", "contract.yaml", "--until", "2013-09-01", "--batch_days", "28"]
    workspace.run("tidegate", "step", "ingest", *given, *words)
    outputs = {"clean": "clean", "quarantine": "aside", "findings": "findings.json", "report": "report.html"}
    more = [word for port, name in outputs.items() for word in (f"--{port}", str(folder / name))]
    workspace.run("tidegate", "step", "validate", *words, "--contract", "contract.yaml", "--publish", "", *more)
    return folder / "clean"


def by_hour(clean: Path, fields: list[str], start: str, end: str) -> dict[str, list[dict[str, Any]]]:
    """The events from one day to another as clients write them, by the hour in which they happen."""
    names = ", ".join(f'"{name}"' for name in fields)
    chosen = f"time_hour >= '{start}' AND time_hour < '{end}'"
    query = f"SELECT {names} FROM '{clean}/flights.parquet' WHERE {chosen} ORDER BY time_hour"
    hours: dict[str, list[dict[str, Any]]] = {}
    for row in duckdb.execute(query).df().to_dict("records"):
        values: dict[str, Any] = {str(name): None if value != value else value for name, value in row.items()}
        values["time_hour"] = row["time_hour"].isoformat()
        hours.setdefault(f"{row['time_hour']:%Y-%m-%d %H}:30:00", []).append(values)
    return hours


def monitored(workspace: Workspace, until: str, *flags: str) -> dict[str, Any]:
    done = workspace.tidegate("monitor", "--until", until, "--window", "14d", "--json", *flags)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_champion_of_winter_is_replaced_in_july(turned_once: Workspace, sample: Path, tmp_path: Path) -> None:
    workspace = turned_once.copy(tmp_path / "workspace")
    until_august(sample, workspace / "data")
    workspace.run("dvc", "add", "--quiet", "data")
    clean = clean_tables(workspace, tmp_path / "live")
    params = workspace / "params.yaml"
    text = params.read_text().replace('record: ""', "record: asked").replace("poll_seconds: 10", "poll_seconds: 1")
    text = text.replace('tables: ""', f"tables: {clean}").replace("record_seconds: 10", "record_seconds: 1")
    text = text.replace("minimum_effect: 0.12", "minimum_effect: 0.05")  # of few trees a feature has less importance
    params.write_text(text.replace('until: "2013-03-01"', f'until: "{END}"'))
    with serving(workspace, tmp_path) as server:
        hours = by_hour(clean, server.fields, START, END)
        assert len(hours) > 200 and {server.ask(*hour) for hour in hours.items()} == {"1"}
        time.sleep(3)  # until it is recorded
        found = monitored(workspace, END)
        assert found["decision"]["decision"] == "retrain", found["decision"]["reasons"]
        assert found["run"]["release"], found["run"]["decision"]["reasons"]
        assert found["run"]["release"]["champion"] == "2", found["run"]["verdict"]["reasons"]
        first, *rest = by_hour(clean, server.fields, LATER, LAST).items()
        deadline = time.monotonic() + HANGING
        while server.ask(*first) != "2":
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert {server.ask(*hour) for hour in rest} == {"2"}
        time.sleep(3)
    again = monitored(workspace, LAST, "--no-run")
    assert again["decision"]["window"]["rows"] > 1500
    before, after = (_drift(document["decision"]) for document in (found, again))
    opened = {signal["name"] for signal in found["decision"]["signals"] if signal["state"] == "opens"}
    moved = sorted(opened & before.keys())
    assert moved and all(after[name] < before[name] for name in moved), (moved, before, after)
    assert sum(after[name] for name in moved) < 0.6 * sum(before[name] for name in moved), (moved, before, after)
    states = {signal["signal"]: signal["state"] for signal in again["decision"]["signals"]}
    assert states["decay"] == states["predictions"] == states["slices"] == states["slice_decay"] == "shut", states


def _drift(decision: dict[str, Any]) -> dict[str, float]:
    """How far each feature moved."""
    features = (signal for signal in decision["signals"] if signal["signal"] == "features")
    return {signal["name"]: signal["detail"]["score"] or 0.0 for signal in features}
