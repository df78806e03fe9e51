"""Runs that Kubeflow's MLflow plugin hands over: one per task, in an experiment of its own, against a real server."""

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Param, Run

from tidegate.process.errors import TrackingError
from tidegate.tracking import batch_runs, database, records, store
from tidegate.tracking.journal import history
from tidegate.tracking.numbered import listed

if TYPE_CHECKING:
    from tests.toy import World

TASKS = ("gate", "train", "evaluate", "deploy")
Submit = Callable[..., dict[str, str]]


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return store.connect()


@pytest.fixture
def problem(world: "World", name: str) -> "World":
    """The small problem up to its features, under a name of its own."""
    world.edit("contract.yaml", ("name: toy", f"name: {name}"))
    world.run("ingest", "validate", "featurize")
    return world


@pytest.fixture
def submit(client: MlflowClient, name: str, monkeypatch: pytest.MonkeyPatch) -> Submit:
    """Runs the tasks as Kubeflow does with its plugin; returns the id of each task's own run."""
    numbers = count(1)

    def run(world: "World", *tasks: str) -> dict[str, str]:
        number = next(numbers)
        found = client.get_experiment_by_name(f"kubeflow of {name}")
        experiment = found.experiment_id if found else _experiment(client, name)
        parent = client.create_run(experiment).info.run_id
        nested: dict[str, str] = {}
        for task in tasks:
            nested[task] = client.create_run(experiment, tags={"mlflow.parentRunId": parent}).info.run_id
            with monkeypatch.context() as patch:
                patch.setenv("MLFLOW_RUN_ID", nested[task])
                patch.setenv("MLFLOW_EXPERIMENT_ID", experiment)
                patch.setenv("TIDEGATE_KUBEFLOW_RUN", f"run {number} of {name}")
                world.run(task)
            _launcher_logs(client, world, task, nested[task])
        return nested

    return run


def _experiment(client: MlflowClient, name: str) -> str:
    place = database.artifacts_of(client.tracking_uri)
    return str(client.create_experiment(f"kubeflow of {name}", artifact_location=place))


def _launcher_logs(client: MlflowClient, world: "World", task: str, run_id: str) -> None:
    """After a task its launcher logs the task's parameters and ends the run."""
    scalars = {key: value for key, value in world.flags(task).items() if isinstance(value, str | int | float)}
    if scalars:
        client.log_batch(run_id, params=[Param(key, str(value)) for key, value in scalars.items()])
    client.set_terminated(run_id)


def everywhere(client: MlflowClient) -> list[Run]:
    """Every run of the store."""
    return list(client.search_runs([found.experiment_id for found in client.search_experiments()]))


def test_each_task_logs_to_the_run_it_was_handed_and_opens_none(
    client: MlflowClient, problem: "World", name: str, submit: Submit
) -> None:
    before = len(everywhere(client))
    nested = submit(problem, *TASKS)
    assert len(everywhere(client)) == before + len(TASKS) + 1
    assert client.get_experiment_by_name(name) is None
    found = {task: client.get_run(run_id).data for task, run_id in nested.items()}
    assert "learning_curve.train" in found["train"].metrics
    assert "challenger.log_loss" in found["evaluate"].metrics
    assert found["gate"].tags["tidegate.decision"] == "retrain"
    assert found["deploy"].tags["tidegate.champion"] == "1"
    for data in found.values():
        assert (data.tags["tidegate.batch"], data.tags["tidegate.name"]) == (problem.json("batch")["id"], name)
        assert data.tags["tidegate.kubeflow.run"] == data.tags["kfp.pipeline_run_id"] == f"run 1 of {name}"


def test_what_a_run_decided_holds_for_the_next_one_and_on_a_laptop(
    client: MlflowClient, problem: "World", name: str, submit: Submit
) -> None:
    submit(problem, *TASKS)
    files = ("decision.json", "gate.html", "evidently.html", "verdict.json", "evaluate.html", "release.json")
    first = {file: (problem / file).read_bytes() for file in files}
    submit(problem, *TASKS)
    assert {file: (problem / file).read_bytes() for file in files} == first
    problem.run(*TASKS)  # no run handed over
    assert {file: (problem / file).read_bytes() for file in files} == first
    assert [str(version.version) for version in listed(client, name)] == ["1"]
    assert [(entry.before, entry.to) for entry in history(client, name).counted] == [(None, "1")]
    (row,) = batch_runs.batches(client, name)
    told = [row[f"tidegate.{key}"] for key in ("decision", "verdict", "champion")]
    assert told == ["retrain", "accepted", "1"]


def test_a_task_that_is_run_again_uses_the_same_run(
    client: MlflowClient, problem: "World", name: str, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    nested = submit(problem, *TASKS)
    before = len(everywhere(client))
    for task, run_id in nested.items():
        monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
        problem.run(task)
    assert len(everywhere(client)) == before
    assert len(listed(client, name)) == 1


def test_our_own_run_bears_the_last_run_on_kubeflow(
    client: MlflowClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "2"):
        monkeypatch.setenv("TIDEGATE_KUBEFLOW_RUN", number)
        run_id = batch_runs.batch_run(client, name, "ab12", {})
        assert client.get_run(run_id).data.tags["tidegate.kubeflow.run"] == number
    monkeypatch.delenv("TIDEGATE_KUBEFLOW_RUN")
    assert batch_runs.batch_run(client, name, "ab12", {}) == run_id
    assert client.get_run(run_id).data.tags["tidegate.kubeflow.run"] == "2"


def test_tasks_that_record_at_once_agree(client: MlflowClient, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run of the one that writes first is the younger one: neither clocks nor the order of the runs decide."""
    experiment, late, write = _experiment(client, name), store.connect(), MlflowClient.log_batch
    older, younger = (client.create_run(experiment).info.run_id for _ in range(2))
    for run_id in (older, younger):
        monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
        batch_runs.batch_run(client, name, "ab12", {})
    quick: list[object] = []

    def delayed(given: MlflowClient, *values: Any, **named: Any) -> None:
        if given is late:
            quick.append(records.record(client, younger, "decision.json", {"by": "younger"}))
        write(given, *values, **named)

    monkeypatch.setattr(MlflowClient, "log_batch", delayed)
    assert [records.record(late, older, "decision.json", {"by": "older"})] == quick == [{"by": "younger"}]
    assert records.recorded(client, older, "decision.json") == {"by": "younger"}


def test_the_same_batch_of_another_problem_is_another_batch(client: MlflowClient, name: str) -> None:
    first, second = (batch_runs.batch_run(client, f"{name}-{letter}", "ab12", {}) for letter in "ab")
    assert [run.info.run_id for run in batch_runs.of_same_batch(client, first)] == [first]
    assert [run.info.run_id for run in batch_runs.of_same_batch(client, second)] == [second]


def test_a_task_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("TIDEGATE_KUBEFLOW_RUN", "1")
    with pytest.raises(TrackingError, match=r"^MLFLOW_TRACKING_URI: expected an MLflow server, found nothing"):
        store.connect()
