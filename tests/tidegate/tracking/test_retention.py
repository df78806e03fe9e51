"""What goes of a problem in MLflow after a time, and what never does."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from tests.documents import VERDICT
from tests.tidegate.tracking.killed import kills
from tidegate.process.errors import TrackingError
from tidegate.process.wheel import Wheel
from tidegate.tracking import (
    approvals,
    artifacts,
    batch_runs,
    direct,
    journal,
    models,
    records,
    retention,
    run_data,
    store,
    tools,
    versions,
    windows,
)
from tidegate.tracking.entries import Entry
from tidegate.tracking.tags import Tag

LATER = timedelta(days=1)
KEY = "decision.ab12cd34"
WHEEL = Wheel("tidegate-0.1.0-py3-none-any.whl", b"PK of a wheel")


def batch(client: MlflowClient, name: str, batch_id: str, until: str, **tags: str) -> str:
    """A batch that was decided, with pages."""
    run_id = batch_runs.batch_run(client, name, batch_id, {Tag.UNTIL: until})
    pages = {"gate.html": "<p>" * 99, "evidently.html": "<p>" * 99, "snapshot.json": "{}", "drift.json": "{}"}
    run_data.files(client, run_id, pages, f"gate/{KEY}")
    records.record(client, run_id, KEY, {"decision": batch_id})
    run_data.values(client, run_id, tags={Tag.DECISION: "retrain", Tag.CHAMPION: "1", **tags})
    return run_id


def challenger(client: MlflowClient, name: str, run_id: str) -> models.Logged:
    """A model with its verdict."""
    files = {approvals.FILE: approvals.text_of(VERDICT), "report.html": "<p>"}
    run_data.files(client, run_id, files, approvals.place_of(VERDICT))
    run_data.files(client, run_id, {"importances.svg": "<svg/>"}, "train")
    run_data.values(client, run_id, tags={Tag.VERDICT: "refused", f"{Tag.USE}ab": "{}"})
    contents: dict[str, Any] = {"model.skops": run_id.encode() * 9}
    return models.log_model(client, run_id, name, contents, pd.DataFrame({"delay": [1.5]}), np.array([0.1]))


@pytest.fixture
def problem(request: pytest.FixtureRequest, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A champion, a refused challenger, a batch without one, invalid data, a batch in work, the last, a run gone."""
    shutil.copy(request.getfixturevalue("migrated"), tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return filled(store.connect(), name)


def filled(client: MlflowClient, name: str) -> tuple[MlflowClient, dict[str, str]]:
    runs = {"champion": batch(client, name, "a1", "2013-03-01")}
    logged = challenger(client, name, runs["champion"])
    tags = {**tools.keep(client, runs["champion"], WHEEL, {}), **approvals.tags_of(VERDICT, "automatic")}
    versions.register(client, name, runs["champion"], logged, "a1", tags)
    journal.promote(client, name, Entry(None, "1", "a1", "ann", "2013-03-01", "better", VERDICT.summary))
    runs |= {key: batch(client, name, f"b{key}", until) for key, until in BATCHES.items()}
    challenger(client, name, runs["refused"])
    runs["invalid"] = batch_runs.batch_run(client, name, "refused-1", {Tag.VALIDATION: "refused"})
    run_data.files(client, runs["invalid"], {"report.html": "<p>"}, "validate")
    runs["gone"] = batch_runs.batch_run(client, name, "c1", {})
    for key, run_id in runs.items():
        if key != "working":
            direct.end_run(client, run_id, "FINISHED")
    client.delete_run(runs["gone"])
    return client, runs


BATCHES = {"refused": "2013-04-01", "kept": "2013-05-01", "working": "2013-06-01", "last": "2013-07-01"}


def pruned(client: MlflowClient, name: str, moment: datetime) -> list[retention.Surplus]:
    found = retention.surplus(client, name, moment)
    for each in found:
        retention.remove(client, each)
    return found


def told(client: MlflowClient, name: str) -> Any:
    """What `history`, `batches`, the gate and the verdicts read."""
    decided = [tags for tags in batch_runs.batches(client, name) if Tag.DECISION in tags]
    for tags in decided:
        tags.pop(Tag.PRUNED, None)
    return journal.history(client, name), decided


def check_left(client: MlflowClient, name: str, runs: dict[str, str]) -> None:
    """What nobody needs is gone, what is needed is there."""
    there = {key: set(artifacts.listed(client, place_of(client, runs[key]))) for key in ("champion", *BATCHES)}
    assert {"gate.html", "report.html"} <= {path.rpartition("/")[2] for path in there["champion"]}
    assert any(path.startswith("wheels/") for path in there["champion"])
    for key in ("working", "last"):
        assert {f"gate/{KEY}/gate.html", f"gate/{KEY}/snapshot.json"} <= there[key]
    for key in ("refused", "kept"):
        assert not [path for path in there[key] if path.endswith((".html", ".svg", "snapshot.json"))]
        assert f"gate/{KEY}/drift.json" in there[key] and [path for path in there[key] if path.startswith("records/")]
        page = run_data.page(client, runs[key], f"gate/{KEY}/gate.html")
        assert "gate.html of this batch was removed by <code>tidegate prune</code> on 20" in page
    assert f"{approvals.place_of(VERDICT)}/{approvals.FILE}" in there["refused"]
    experiment = batch_runs.ensure_experiment(client, name)
    assert [each.source_run_id for each in client.search_logged_models([experiment])] == [runs["champion"]]
    every = client.search_runs([experiment], "", ViewType.ALL)
    assert {run.info.run_id for run in every} == {runs[key] for key in ("champion", *BATCHES)}


def place_of(client: MlflowClient, run_id: str) -> str:
    return str(client.get_run(run_id).info.artifact_uri)


def test_what_nobody_needs_goes_and_all_else_stays(problem: Any, name: str, tmp_path: Path) -> None:
    client, runs = problem
    before = told(client, name)
    assert retention.surplus(client, name, datetime.now(UTC) - LATER) == []
    found = {each.run_id: each for each in pruned(client, name, datetime.now(UTC) + LATER)}
    assert found.keys() == {runs[key] for key in ("refused", "kept", "invalid", "gone")}
    assert {run_id for run_id, each in found.items() if each.whole} == {runs["invalid"], runs["gone"]}
    assert len(found[runs["refused"]].models) == 1 and found[runs["refused"]].bytes > found[runs["kept"]].bytes > 500
    assert told(client, name) == before
    check_left(client, name, runs)
    assert retention.surplus(client, name, datetime.now(UTC) + LATER) == []
    versions.fetch(client, name, "1", tmp_path / "1", ())
    assert tools.fetch(client, versions.tags_of(client, name, "1"), "1") == WHEEL
    assert approvals.whole(client, name, "1", ()) == VERDICT
    assert records.recorded(client, runs["refused"], KEY) == {"decision": "brefused"}
    assert batch_runs.batch_run(client, name, "refused-1", {}) not in runs.values()  # it may be refused again


def test_of_a_window_of_requests_the_pages_go(problem: Any, name: str) -> None:
    client, _ = problem
    run_id = windows.window_run(client, name, "77" * 8, {Tag.END: "2013-05-03T00:00:00", Tag.CHAMPION: "1"})
    run_data.files(client, run_id, {"traffic.html": "<p>", "traffic.json": "{}"}, f"monitor/{KEY}")
    records.record(client, run_id, KEY, {"decision": "keep"}, {Tag.DECISION: "keep"})
    direct.end_run(client, run_id, "FINISHED")
    assert run_id in {each.run_id for each in pruned(client, name, datetime.now(UTC) + LATER)}
    left = artifacts.listed(client, place_of(client, run_id))
    assert f"monitor/{KEY}/traffic.json" in left and not [path for path in left if path.endswith(".html")]
    assert records.recorded(client, run_id, KEY) == {"decision": "keep"}
    assert [each[Tag.DECISION] for each in windows.windows(client, name)] == ["keep"]


def test_under_kubeflow_the_runs_of_a_batch_stay_together(problem: Any, name: str) -> None:
    """Each task has a run of its own: that of train has no decision, and belongs to a batch that has one."""
    other = problem[0].create_experiment("of the plugin")
    client = store.connect()
    own = {}
    for key, batch_id in {"champion": "a1", "kept": "bkept", "working": "bworking", "last": "blast"}.items():
        run = client.create_run(other, tags={Tag.BATCH: batch_id, Tag.NAME: name})
        own[key] = str(run.info.run_id)
        artifacts.write(client, str(run.info.artifact_uri), {"curve.svg": "<svg/>", "curve.json": "{}"}, "train")
        direct.end_run(client, own[key], "FINISHED")
    found = {each.run_id: each for each in pruned(client, name, datetime.now(UTC) + LATER)}
    assert own["kept"] in found and not found[own["kept"]].whole
    assert not {own["champion"], own["working"], own["last"]} & found.keys()
    assert set(artifacts.listed(client, place_of(client, own["kept"]))) == {"train/curve.json"}


def test_killed_at_one_write_after_the_other_it_completes(problem: Any, name: str, tmp_path: Path) -> None:
    client, runs = problem
    before = told(client, name)
    moments = [1, 2, 3, 5, 8, 13, 21, 34, 55, 999]
    assert 4 < kills(tmp_path, name, None, *moments) < len(moments)
    assert told(client, name) == before
    check_left(client, name, runs)


def test_on_a_server_the_files_go_and_the_runs_are_deleted(
    server: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    client, runs = filled(store.connect(), name)
    before = told(client, name)
    assert pruned(client, name, datetime.now(UTC) + LATER)
    assert told(client, name) == before
    assert client.get_run(runs["invalid"]).info.lifecycle_stage == "deleted"
    assert artifacts.listed(client, place_of(client, runs["invalid"])) == {}
    assert retention.surplus(client, name, datetime.now(UTC) + LATER) == []
    assert not [path for path in artifacts.listed(client, place_of(client, runs["kept"])) if path.endswith(".html")]


def test_a_journal_with_holes_is_refused_first(problem: Any, name: str) -> None:
    client, _ = problem
    client.delete_model_version(f"{name}.journal", "1")
    with pytest.raises(TrackingError, match="expected every entry it had"):
        pruned(client, name, datetime.now(UTC) + LATER)
