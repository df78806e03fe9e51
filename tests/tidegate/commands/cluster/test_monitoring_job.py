"""`tidegate submit --pipeline monitoring`: the training pipeline's parameters, and those of the window."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs import git
from tests.tidegate.commands.cluster.kfp_server import KfpServer

Tidegate = Callable[..., tuple[int, str, str]]
submit = ("submit", "--unchecked", "--pipeline", "monitoring")
SECTION = """
monitor:
  window: 48h
  schedule: {cron: "0 5 * * * *", catchup: false, concurrency: 1}
"""


@pytest.fixture
def monitoring(clone: Path) -> Path:
    """The cluster.yaml of a problem whose server records to a bucket."""
    path = clone / "cluster.yaml"
    section = "\nsteps:\n  monitor: {uses: [mlflow, data, endpoint]}\n"
    path.write_text(path.read_text().replace("\nsteps:\n", section) + SECTION)
    params = clone / "params.yaml"
    params.write_text(params.read_text().replace('record: ""', "record: s3://asked/flights/"))
    git("commit", "--quiet", "--all", "--message", "Monitor", folder=clone)
    return path


def test_its_run_is_for_the_newest_rows(server: KfpServer, monitoring: Path, tidegate: Tidegate) -> None:
    code, _, err = tidegate(*submit, "--set", "gate.decay=0.5")
    assert (code, err) == (0, "")
    (run,) = server.kubeflow.runs.values()
    (experiment,) = server.kubeflow.experiments.values()
    assert (experiment.display_name, run.display_name) == ("flights-monitoring", "flights monitoring")
    given = run.runtime_config.parameters
    assert (given["monitor_name"], given["monitor_window"]) == ("flights", "48h")
    assert (given["ingest_until"], given["collect_fetch"]) == ("", True)
    assert (given["serve_record"], given["serve_tables"], given["gate_decay"]) == ("s3://asked/flights/", "", 0.5)
    assert given["pull_contract_yaml"].startswith("# yaml-language-server")


def test_its_schedule_is_its_own(server: KfpServer, monitoring: Path, tidegate: Tidegate) -> None:
    code, out, err = tidegate("schedule", "apply", "--unchecked", "--pipeline", "monitoring")
    assert (code, err) == (0, "") and out.startswith("created\n") and "0 5 * * * *" in out
    assert tidegate("schedule", "apply", "--unchecked", "--pipeline", "monitoring")[1].startswith("unchanged\n")
    assert "no schedule" in tidegate("schedule", "show")[1]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ('""', "serve.record: expected an S3 prefix such as s3://bucket/asked/, found nothing; let the server"),
        ("asked", "serve.record: expected an S3 prefix such as s3://bucket/asked/, found asked; let the server"),
    ],
)
def test_recordings_of_one_machine_are_refused(
    server: KfpServer, monitoring: Path, tidegate: Tidegate, place: str, line: str
) -> None:
    params = monitoring.with_name("params.yaml")
    params.write_text(params.read_text().replace("record: s3://asked/flights/", f"record: {place}"))
    code, _, err = tidegate(*submit)
    assert code == 2 and err.startswith(f"error: {line}") and not server.kubeflow.runs


@pytest.mark.parametrize("window", ["90m", "a day", "0h"])
def test_a_window_that_is_none_is_refused(
    server: KfpServer, monitoring: Path, tidegate: Tidegate, window: str
) -> None:
    monitoring.write_text(monitoring.read_text().replace("window: 48h", f"window: {window}"))
    code, _, err = tidegate(*submit)
    assert code == 2 and "whole hours, days or weeks, such as 24h" in err and not server.kubeflow.runs
