"""What the compiled command of a step does in its pod when the step fails."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.documents import BATCH
from tests.pipelines.pods import Cluster
from tests.toy import CONTRACT, SCALARS
from tidegate.documents.digests import digests
from tidegate.pipelines import cluster, kubeflow
from tidegate.pipelines.graph import Port
from tidegate.tables.recipe import batch_id, recipe


@pytest.fixture
def ir(tmp_path: Path) -> dict[str, Any]:
    """The pipeline with one retry after a second."""
    text = cluster.PATH.read_text()
    assert "retries: {times: 2, wait: 30s}" in text
    path = tmp_path / "cluster.yaml"
    path.write_text(text.replace("retries: {times: 2, wait: 30s}", "retries: {times: 1, wait: 1s}"))
    return kubeflow.parts(kubeflow.compile("x", path))[0]


@pytest.fixture
def given(tmp_path: Path) -> dict[Port, Path]:
    """As much of what comes before as is looked at."""
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    made_by = recipe(CONTRACT, "SELECT 1", "{}", 365)
    (tmp_path / "nothing").mkdir()
    vouched = digests(clean=tmp_path / "nothing", features=tmp_path / "nothing")
    batch = replace(BATCH, recipe=made_by, id=batch_id(BATCH.data, BATCH.start, BATCH.end, made_by), digests=vouched)
    batch.write(tmp_path / "batch.json")
    found = {Port("pull", "contract"): "contract.yaml", Port("featurize", "batch"): "batch.json"}
    rest = [Port("pull", "data"), Port("validate", "clean"), Port("featurize", "features")]
    return {port: tmp_path / name for port, name in {**found, **dict.fromkeys(rest, "nothing")}.items()}


def test_a_step_whose_server_is_away_is_tried_again(
    ir: dict[str, Any], given: dict[Port, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    code, lines = Cluster(ir, tmp_path, given, SCALARS).fails("gate")
    away = "error: http://127.0.0.1:9: expected an MLflow server that answers, found no connection; "
    assert code == 75 and lines[1] == "attempt 2 of 2 in 1 s: a service did not answer"
    assert [line.startswith(away) for line in lines] == [True, False, True]


def test_what_a_person_has_to_mend_is_not(ir: dict[str, Any], given: dict[Port, Path], tmp_path: Path) -> None:
    code, lines = Cluster(ir, tmp_path, given, SCALARS | {"until": "someday"}).fails("ingest")
    assert (code, len(lines)) == (2, 1) and lines[0].startswith("error: ingest.until: expected ")
