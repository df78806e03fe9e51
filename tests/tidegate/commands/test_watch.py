"""`tidegate watch`: one turn for each version of the data, whoever brings it, however often it looks."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self

import duckdb
import pytest

from tests.durations import HANGING
from tests.workspaces import Workspace
from tidegate.commands.loop import watcher

NOTHING = "no new version of the data\n"


@pytest.fixture
def workspace(turned_once: Workspace, tmp_path: Path) -> Workspace:
    """After the first turn, February; nothing is new."""
    workspace = turned_once.copy(tmp_path / "workspace")
    assert workspace.tidegate("watch", "--once").stdout == NOTHING
    return workspace


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def another_version(workspace: Workspace, until: str = "2013-04-01") -> None:
    """Somebody else's: as after `git pull` and `dvc pull`."""
    planes = workspace / "data/planes.csv"
    planes.write_text(planes.read_text().rstrip("\n").rpartition("\n")[0] + "\n")
    workspace.run("dvc", "add", "--quiet", "data")
    replace(workspace / "params.yaml", 'until: "2013-03-01"', f'until: "{until}"')


def batches(workspace: Workspace) -> list[str]:
    return [batch["until"] for batch in json.loads(workspace.tidegate("batches", "--json").stdout)]


@contextmanager
def started(workspace: Workspace) -> Iterator["subprocess.Popen[str]"]:
    """A watcher, which is killed if the test has not ended it."""
    words = [sys.executable, "-m", "tidegate", "watch", "--every", "1m"]
    out, err = subprocess.PIPE, subprocess.PIPE
    with subprocess.Popen(
        words, cwd=workspace.folder, env=workspace.environment, text=True, stdout=out, stderr=err
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_version_that_somebody_brought_starts_one_turn(workspace: Workspace) -> None:
    another_version(workspace)
    done = workspace.tidegate("watch", "--once")
    assert "batch" in done.stdout and batches(workspace) == ["2013-03-01", "2013-04-01"]
    assert workspace.tidegate("watch", "--once").stdout == NOTHING, "once for each version"
    replace(workspace / "params.yaml", 'until: "2013-04-01"', 'until: "2013-05-01"')
    assert workspace.tidegate("watch", "--once").stdout == NOTHING, "a person's change starts nothing"


def test_one_process_watches_a_folder(workspace: Workspace) -> None:
    with started(workspace) as first:
        while (workspace / str(watcher.LOCK)).read_text() != str(first.pid):
            assert first.poll() is None
            time.sleep(0.1)
        second = workspace.tidegate("watch", "--once", check=False)
        expected = f"error: this folder: expected no other watcher, found process {first.pid}, which watches it; "
        assert second.returncode == 2 and second.stderr.startswith(expected)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=HANGING)
    assert workspace.tidegate("watch", "--once").stdout == NOTHING, "who is killed holds no lock"


def test_a_turn_that_was_killed_is_completed(workspace: Workspace) -> None:
    another_version(workspace)
    with started(workspace) as process:
        assert process.stderr is not None
        while "gate" not in (line := process.stderr.readline()):
            assert line, process.wait(HANGING)
        process.kill()
        process.communicate(timeout=HANGING)
    workspace.tidegate("watch", "--once")
    assert batches(workspace) == ["2013-03-01", "2013-04-01"]
    assert workspace.tidegate("watch", "--once").stdout == NOTHING


def test_a_version_that_fails_is_told_and_left(workspace: Workspace) -> None:
    replace(workspace / "data/flights.csv", "dep_delay", "departure")
    workspace.run("dvc", "add", "--quiet", "data")
    failed = workspace.tidegate("watch", "--once", check=False)
    assert failed.returncode == 2 and "stage validate: expected to succeed" in failed.stderr
    with started(workspace) as process:
        assert process.stderr is not None
        while "error: stage validate" not in (line := process.stderr.readline()):
            assert line, process.wait(HANGING)
        assert process.poll() is None, "it goes on"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=HANGING) and process.returncode == 130
    assert batches(workspace) == ["2013-03-01"]


@contextmanager
def day(text: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock of the watcher stands."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromisoformat(text).replace(tzinfo=tz)

    with monkeypatch.context() as patch:
        patch.setattr(watcher, "datetime", Clock)
        yield


def test_rows_of_a_source_start_a_turn_until_today(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "read_csv('{}', all_varchar = true, header = true)".format(workspace / "data/flights.csv")
    (workspace / "exports").mkdir()
    with duckdb.connect() as connection:
        for name, months in {"data/flights.csv": "<= 2", "exports/new.csv": "<= 3"}.items():
            rows = connection.execute(f"SELECT * FROM {source} WHERE month::INTEGER {months}").df()
            rows.to_csv(workspace / name, index=False, na_rep="NA")
    with_source = "    files: flights.csv\n    source: {files: exports/*.csv}\n"
    replace(workspace / "contract.yaml", "    files: flights.csv\n", with_source)
    workspace.run("dvc", "add", "--quiet", "data")
    with day("2013-04-01", monkeypatch):
        done = workspace.tidegate("watch", "--once")
        assert "2013-03-04 to 2013-04-01" in done.stdout and batches(workspace)[-1] == "2013-04-01"
        assert workspace.tidegate("watch", "--once").stdout.endswith(NOTHING)
    with day("2013-04-02", monkeypatch):
        assert workspace.tidegate("watch", "--once").stdout.endswith(NOTHING), "another day without another row"
    assert 'until: "2013-04-01"' in (workspace / "params.yaml").read_text()
