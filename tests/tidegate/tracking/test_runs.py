import subprocess
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tidegate.process.errors import TrackingError
from tidegate.tracking import artifacts, batch_runs, records, run_data, store
from tidegate.tracking.run_data import Point
from tidegate.tracking.tags import Tag

Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return store.connect()


@pytest.fixture
def run(client: MlflowClient, name: str) -> str:
    return batch_runs.batch_run(client, name, "ab12cd34ef", {"tidegate.until": "2013-03-01"})


def crowd(spawn: Spawn, folder: Path, code: str, *arguments: str) -> list[str]:
    """What four processes print that run the code at once."""
    processes = [spawn(folder, "-c", code, *arguments, str(number)) for number in range(4)]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, answers
    return [answer.strip() for answer, _ in answers]


def test_a_batch_has_one_run_with_a_name(client: MlflowClient, name: str, run: str) -> None:
    assert batch_runs.batch_run(client, name, "ab12cd34ef", {}) == run
    assert batch_runs.batch_run(client, name, "other", {}) != run
    assert client.get_run(run).info.run_name == "2013-03-01 ab12cd34"


def test_a_deleted_experiment_is_not_called_empty(client: MlflowClient, name: str, run: str) -> None:
    assert len(batch_runs.batches(client, name)) == 1
    experiment = client.get_run(run).info.experiment_id
    client.delete_experiment(experiment)
    for ask in (batch_runs.batches, batch_runs.runs_about):
        with pytest.raises(TrackingError, match=f"a deleted one; run `mlflow experiments restore -x {experiment}`"):
            ask(store.connect(), name)
    assert batch_runs.batches(store.connect(), "never-seen") == []


def test_processes_that_meet_agree_on_one_run(client: MlflowClient, name: str, tmp_path: Path, spawn: Spawn) -> None:
    code = (
        "import sys\n"
        "from tidegate.tracking import batch_runs, store\n"
        "print(batch_runs.batch_run(store.connect(), sys.argv[1], 'ab12', {}))\n"
    )
    answers = crowd(spawn, tmp_path, code, name)
    experiment = client.get_run(answers[0]).info.experiment_id
    assert answers == list(repeat(batch_runs.runs_of(client, experiment, "ab12")[0].info.run_id, 4))
    assert len(batch_runs.runs_of(client, experiment, "ab12")) == 1


def test_a_run_that_comes_late_to_the_server_is_dropped(
    server: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    late, create = store.connect(), MlflowClient.create_run
    punctual: list[str] = []

    def delayed(client: MlflowClient, *given: Any, **named: Any) -> Run:
        if client is not late:
            return create(client, *given, **named)
        punctual.append(batch_runs.batch_run(store.connect(), name, "ab12", {}))
        return create(client, *given, **{**named, "start_time": 1})

    monkeypatch.setattr(MlflowClient, "create_run", delayed)
    assert [batch_runs.batch_run(late, name, "ab12", {})] == punctual
    experiment = late.get_run(punctual[0]).info.experiment_id
    assert [run.info.run_id for run in batch_runs.runs_of(late, experiment, "ab12")] == punctual


def test_a_run_whose_creator_was_killed_is_used(client: MlflowClient, name: str, run: str) -> None:
    experiment = client.get_run(run).info.experiment_id
    left = client.create_run(experiment, tags={Tag.BATCH: "left"}).info.run_id
    assert [batch_runs.batch_run(client, name, "left", {}) for _ in range(2)] == [left, left]


def test_a_run_that_a_person_deleted_gets_a_successor(client: MlflowClient, name: str, run: str) -> None:
    client.delete_run(run)
    successor = batch_runs.batch_run(client, name, "ab12cd34ef", {})
    assert successor != run
    assert batch_runs.batch_run(client, name, "ab12cd34ef", {}) == successor


def test_the_run_that_kubeflow_opened_is_used(
    client: MlflowClient, name: str, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = client.get_run(run).info.experiment_id
    given = client.create_run(experiment).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", given)
    assert batch_runs.batch_run(client, name, "fromkfp", {"kfp": "7"}) == given
    assert client.get_run(given).data.tags["tidegate.batch"] == "fromkfp"


def test_a_run_ends_once_and_can_be_resumed(client: MlflowClient, name: str, run: str) -> None:
    batch_runs.finish(client, run, "FAILED")
    assert batch_runs.batch_run(client, name, "ab12cd34ef", {}) == run
    run_data.values(client, run, metrics=[Point("late", 1.0)])
    batch_runs.finish(client, run)
    batch_runs.finish(client, run)
    assert client.get_run(run).info.status == "FINISHED"


def test_a_deleted_experiment_is_told_with_its_cure(client: MlflowClient, name: str, run: str) -> None:
    client.delete_experiment(client.get_run(run).info.experiment_id)
    with pytest.raises(TrackingError, match="mlflow experiments restore"):
        batch_runs.batch_run(store.connect(), name, "ab12cd34ef", {})


def test_a_quote_is_refused(client: MlflowClient, name: str) -> None:
    with pytest.raises(TrackingError, match="quote"):
        batch_runs.batch_run(client, name, "it's", {})


def test_parameters_stay_as_first_logged(client: MlflowClient, run: str) -> None:
    assert run_data.values(client, run, {f"p{number}": number for number in range(150)}) == []
    assert run_data.values(client, run, {"p1": 1, "p2": "changed", "long": "x" * 9000}) == ["p2"]
    assert run_data.values(client, run, {"long": "x" * 9000}) == []
    found = client.get_run(run).data.params
    assert (len(found), found["p2"]) == (151, "2")


def test_metrics_without_a_value_are_left_out(client: MlflowClient, run: str) -> None:
    run_data.values(client, run, metrics=[Point("loss", 0.5), Point("none", None), Point("nan", float("nan"))])
    assert client.get_run(run).data.metrics == {"loss": 0.5}


def test_files_are_logged_from_text_bytes_and_paths(client: MlflowClient, run: str, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<h1>")
    contents: dict[str, artifacts.Content] = {
        "a.json": "{}",
        "figure.png": b"\x89PNG",
        "report.html": tmp_path / "report.html",
    }
    run_data.files(client, run, contents, "reports")
    assert {info.path for info in client.list_artifacts(run, "reports")} == {f"reports/{file}" for file in contents}


def test_a_dataset_carries_its_version(client: MlflowClient, run: str) -> None:
    version = "d41d8cd98f00b204e9800998ecf8427e.dir"
    run_data.dataset(client, run, "flights", version, "training")
    inputs = client.get_run(run).inputs
    assert inputs
    (found,) = inputs.dataset_inputs
    assert {tag.key: tag.value for tag in found.tags} == {"dvc": version, "mlflow.data.context": "training"}


def test_the_first_record_stays(client: MlflowClient, run: str) -> None:
    assert records.recorded(client, run, "decision.json") is None
    assert records.record(client, run, "decision.json", {"retrain": True}) == {"retrain": True}
    assert records.record(client, run, "decision.json", {"retrain": False}) == {"retrain": True}
    assert records.recorded(client, run, "decision.json") == {"retrain": True}
    assert records.record(client, run, "verdict.json", {"promote": False}) == {"promote": False}


def test_racing_records_agree(client: MlflowClient, run: str, tmp_path: Path, spawn: Spawn) -> None:
    code = (
        "import sys\n"
        "from tidegate.tracking import records, store\n"
        "print(records.record(store.connect(), sys.argv[1], 'decision.json', {'by': sys.argv[2]}))\n"
    )
    assert set(crowd(spawn, tmp_path, code, run)) == {str(records.recorded(client, run, "decision.json"))}


def test_a_record_is_found_from_another_run_of_the_batch(
    client: MlflowClient, name: str, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.record(client, run, "decision.json", {"retrain": True})
    later = client.create_run(client.get_run(run).info.experiment_id).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", later)
    assert batch_runs.batch_run(client, name, "ab12cd34ef", {}) == later
    assert records.record(client, later, "decision.json", {"retrain": False}) == {"retrain": True}


def test_an_altered_record_is_noticed(client: MlflowClient, run: str) -> None:
    records.record(client, run, "decision.json", {"retrain": True})
    (written,) = client.list_artifacts(run, "records/decision")
    run_data.files(client, run, {written.path: '{"retrain": false}'})
    with pytest.raises(TrackingError, match=r"decision\.json"):
        records.recorded(store.connect(), run, "decision.json")
