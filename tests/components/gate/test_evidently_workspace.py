"""Evidently's workspace: snapshots come back as they were, a run per batch, and filling it again changes nothing."""

from pathlib import Path

import pytest

from tests import decisions
from tidegate.components.gate import snapshot
from tidegate.components.gate.evidently_workspace import BatchSnapshot, dumped, fill


@pytest.fixture(scope="module")
def snapshots() -> list[BatchSnapshot]:
    """Two batches, the second one colder."""
    found = []
    for batch, until, colder in (("ab12", "2013-03-01", 0), ("ab34", "2013-04-01T00:00:00", 9)):
        reference, rows = decisions.frames()
        shot = snapshot.snapshot(reference, rows.assign(temp=rows["temp"] - colder), decisions.kinds)
        found.append(BatchSnapshot(batch, until, dumped(shot, decisions.decision("keep"))))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_batch_is_one_run_at_its_moment(snapshots: list[BatchSnapshot], tmp_path: Path) -> None:
    from evidently.ui.workspace import Workspace

    project = fill(tmp_path, "flights", snapshots, ["temp", "origin"])
    workspace = Workspace(str(tmp_path))
    runs = [workspace.get_run(project, run) for run in workspace.list_runs(project)]
    assert sorted((run.timestamp.isoformat(), run.metadata["batch"]) for run in runs) == [
        ("2013-03-01T00:00:00", "ab12"),
        ("2013-04-01T00:00:00", "ab34"),
    ]
    titles = [panel.title for panel in workspace.get_project(project).dashboard.model().panels]
    assert titles == ["Share of drifted columns", "Drift of predictions", "Drift of temp", "Drift of origin"]
    scores = {
        run.metadata["batch"]: result.value
        for run in runs
        for result in run.metric_results.values()
        if result.metric_value_location.metric.params.get("column") == "temp"
    }
    assert scores["ab12"] > scores["ab34"] > 0.1


def test_filled_again_it_is_the_same(snapshots: list[BatchSnapshot], tmp_path: Path) -> None:
    fill(tmp_path, "flights", snapshots[:1], ["temp"])
    fill(tmp_path, "other", snapshots[1:], ["temp"])
    fill(tmp_path, "flights", snapshots, ["temp"])
    once = contents(tmp_path)
    fill(tmp_path, "flights", snapshots, ["temp"])
    assert contents(tmp_path) == once and len([name for name in once if "snapshots" in name]) == 3
    fill(tmp_path, "flights", snapshots[1:], ["temp"])
    assert len([name for name in contents(tmp_path) if "snapshots" in name]) == 2
