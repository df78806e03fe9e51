"""docs/monitoring.md: its commands do what they say, in a workspace whose champion was asked for a month."""

import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args
from unittest.mock import patch

import pandas as pd
import pytest

from tests import requests
from tests.workspaces import Workspace
from tidegate.commands.cli import parser
from tidegate.commands.cluster import schedules
from tidegate.documents.traffic import FeatureHour, Hour
from tidegate.pipelines import cluster
from tidegate.tables.features import Window
from tidegate.tracking.alerts import VARIABLE, Alert, Event
from tidegate.tracking.champion import Champion, load_champion
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag
from tidegate.tracking.windows import windows

root = Path(__file__).parents[1]
page = (root / "docs/monitoring.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
START, END = pd.Timestamp("2013-04-01"), pd.Timestamp("2013-04-08")


@contextmanager
def store(workspace: Workspace) -> Iterator[None]:
    """Within it, this process connects to the store of a workspace."""
    with patch.dict(os.environ, {"MLFLOW_TRACKING_URI": f"sqlite:///{workspace / 'mlflow.db'}"}):
        yield


@contextmanager
def champion(workspace: Workspace) -> Iterator[Champion]:
    """The champion of a workspace, of its store."""
    with store(workspace):
        version = load_champion(connect(), "flights", ())
        assert version is not None
        yield version


def later_tables(workspace: Workspace, folder: Path) -> Path:
    """The clean tables as they are in April."""
    step = ("tidegate", "step")
    words = ["--tables", str(folder / "tables"), "--manifest", str(folder / "manifest.json")]
    given = ["--data", "data", "--contract", "contract.yaml", "--until", "2013-05-01", "--batch_days", "28"]
    workspace.run(*step, "ingest", *given, *words)
    outputs = {"clean": "clean", "quarantine": "aside", "findings": "findings.json", "report": "report.html"}
    more = [word for port, name in outputs.items() for word in (f"--{port}", str(folder / name))]
    workspace.run(*step, "validate", *words, "--contract", "contract.yaml", "--publish", "", *more)
    return folder / "clean"


def edit(workspace: Workspace, name: str, *changes: tuple[str, str]) -> None:
    """Replace texts in a file, each of which must be there."""
    text = (workspace / name).read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (workspace / name).write_text(text)


@pytest.fixture(scope="module")
def _asked(turned_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("monitoring")
    workspace = turned_once.copy(folder / "workspace")
    params = workspace / "params.yaml"
    params.write_text(params.read_text().replace('record: ""', "record: asked"))
    clean = later_tables(workspace, folder / "later")
    with champion(workspace) as version:
        frame = version.batch(clean, Window(START.to_pydatetime(), END.to_pydatetime()))
        week = frame[frame[version.contract.time] < END]
        requests.record(workspace / "asked", version, week.sample(600, random_state=0))
    (workspace / "later").symlink_to(clean)
    return workspace


@pytest.fixture
def asked(_asked: Workspace, tmp_path: Path) -> Workspace:
    """A workspace after the first turn, whose server has recorded a week of April; `later` has the tables of May."""
    return _asked.copy(tmp_path / "workspace")


def test_every_command_does_what_it_says(asked: Workspace) -> None:
    assert len(commands) > 5
    sections = re.findall(r"```yaml\nsteps:\n(.*?)```", page, re.DOTALL)
    settings = asked / "cluster.yaml"
    settings.write_text(settings.read_text().replace("\nsteps:\n", f"\nsteps:\n{sections[0]}"))
    for words in (shlex.split(command)[1:] for command in commands):
        if words[0] in ("submit", "schedule"):  # they ask a cluster
            assert callable(parser().parse_args(words).run)
        else:
            done = asked.tidegate(*words)
            if "--json" in words:
                assert json.loads(done.stdout)["decision"]["window"]["rows"] == 600
    assert "comp-monitor" in (asked / "monitoring.yaml").read_text()
    named = re.findall(r"^\| `([\w.]+)` \|", page.partition("## The window")[0], re.MULTILINE)
    assert {*named} == {path.name for path in (asked / "artifacts/monitor").iterdir()}


def test_the_sections_of_the_cluster_are_some(asked: Workspace) -> None:
    (steps,) = re.findall(r"```yaml\nsteps:\n(.*?)```", page, re.DOTALL)
    (section,) = re.findall(r"```yaml\n(monitor:\n.*?)```", page, re.DOTALL)
    settings = asked / "cluster.yaml"
    settings.write_text(settings.read_text().replace("\nsteps:\n", f"\nsteps:\n{steps}") + section)
    assert schedules.declared(settings, "monitoring").cron == "0 5 * * * *"


def test_the_events_are_those_of_the_alerts() -> None:
    section = page.partition("## Alerts")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([\w ]+)` \| `", section, re.MULTILINE) == [*get_args(Event)]
    assert VARIABLE in section and {*re.findall("`(\\w+)`", section)} >= {*Alert.__dataclass_fields__, "text", "link"}


def test_the_address_comes_from_a_secret(asked: Workspace) -> None:
    (group,) = re.findall(r"```yaml\nenvironment:\n(.*?)```", page, re.DOTALL)
    settings = asked / "cluster.yaml"
    text = settings.read_text().replace("\nenvironment:\n", f"\nenvironment:\n{group}")
    settings.write_text(text.replace("  gate:\n    uses: [mlflow]", "  gate:\n    uses: [mlflow, alerts]"))
    references = cluster.load(settings).steps["gate"].environment
    assert any(VARIABLE in reference.keys.values() and reference.optional for reference in references)


def test_the_table_of_flags_is_that_of_the_command() -> None:
    from tidegate.commands.monitor import COMMAND

    flags = re.findall(r"^\| `(--[\w-]+)` \|", page, re.MULTILINE)
    assert flags == [flag for flag in COMMAND.flags if flag != "--json"]


def test_what_it_says_of_an_hour_is_there() -> None:
    assert {"rows", "features", "prediction", "classes", "uncertain", "loss"} < {*Hour.__dataclass_fields__}
    assert {*FeatureHour.__dataclass_fields__} == {"missing", "unseen", "numbers"}


def test_an_open_gate_runs_the_loop_once(asked: Workspace) -> None:
    window = ("monitor", "--until", "2013-04-08", "--window", "7d", "--tables", "later")
    edit(
        asked,
        "params.yaml",
        ("prediction_drift: 0.25", "prediction_drift: 0.001"),
        ("minimum_effect: 0.12", "minimum_effect: 0.01"),
    )
    edit(asked, "params.yaml", ('until: "2013-03-01"', 'until: "2013-04-01"'))
    first = asked.tidegate(*window)
    assert first.stdout.startswith("retrain: ") and "the gate is open: the loop runs" in first.stderr
    assert "until 2013-04-01" in asked.tidegate("status").stdout, "the loop has turned"
    again = asked.tidegate(*window)
    assert again.stdout.startswith("retrain: ") and "this window has started tidegate run, batch" in again.stderr
    with store(asked):
        (own,) = windows(connect(), "flights")
    assert own[Tag.STARTED].startswith("tidegate run, batch ")
    assert len(json.loads(asked.tidegate("batches", "--json").stdout)) == 2, "a window is no batch"
    asked.tidegate("review", "--no-open")
    review = (asked / "artifacts/review/index.html").read_text()
    assert "until 2013-04-08 00:00: retrain" in review and own[Tag.STARTED] in review
    (link,) = re.findall(r'href="(requests/[^"]+)"', review)
    pages = (asked / "artifacts/review" / link).parent
    assert {path.name for path in pages.iterdir()} == {"traffic.html", "gate.html"}
    written = [path.stat().st_mtime_ns for path in pages.iterdir()]
    asked.tidegate("review", "--no-open")
    assert [path.stat().st_mtime_ns for path in pages.iterdir()] == written, "fetched once"


def test_a_run_that_ends_early_is_no_start(asked: Workspace) -> None:
    edit(
        asked,
        "params.yaml",
        ("prediction_drift: 0.25", "prediction_drift: 0.001"),
        ("minimum_effect: 0.12", "minimum_effect: 0.01"),
    )
    edit(asked, "params.yaml", ('until: "2013-03-01"', 'until: "2013-04-01"'))
    edit(asked, "features.sql", ("SELECT", "SELECT nothing, "))
    window = ("monitor", "--window", "7d", "--tables", "later", "--until")
    failed = asked.tidegate(*window, "2013-04-08", check=False)
    assert failed.returncode == 2 and "stage featurize" in failed.stderr
    edit(asked, "features.sql", ("SELECT nothing, ", "SELECT"))
    assert "the loop runs" in asked.tidegate(*window, "2013-04-08T01:00").stderr, "no cooldown of a run that was none"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "serve.record: expected the place of the recorded predictions, found nothing; name a folder"),
        (("--recordings", "nowhere"), "nowhere: expected recorded predictions, found nothing"),
        (("--recordings", "asked", "--window", "5m"), "window: expected whole hours, 1h to 2160h, found 5m"),
        (("--recordings", "asked", "--until", "later"), "until: expected a UTC time such as 2013-03-01"),
        (("--recordings", "ftp://a/b"), "serve.record: expected a folder or an S3 prefix, found ftp://a/b"),
    ],
)
def test_what_it_cannot_judge_is_one_line(asked: Workspace, words: tuple[str, ...], line: str) -> None:
    edit(asked, "params.yaml", ("record: asked", 'record: ""'))
    done = asked.tidegate("monitor", *words, check=False)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith(f"error: {line}"), done.stderr
    assert done.stderr.count("\n") == 1 and not (asked / "artifacts/monitor/decision.json").exists()
