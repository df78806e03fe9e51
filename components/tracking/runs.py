"""One MLflow run per batch: found or created by the batch's id, shared by the steps, resumed after any failure."""

import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Literal

from mlflow import MlflowClient
from mlflow.entities import Run, RunTag
from mlflow.exceptions import MlflowException

from components.errors import TrackingError
from components.tracking import database
from components.tracking.store import answering, quoted

batch_tag = "tidegate.batch"
# Longer than the clocks of two machines differ and a request takes.
settling_seconds = 1.0


@answering()
def batch_run(client: MlflowClient, name: str, batch_id: str, tags: Mapping[str, str]) -> str:
    """The id of the batch's run in the experiment `name`, created if there is none; of several the oldest is the run.

    Kubeflow's plugin may have opened one (MLFLOW_RUN_ID): it is used and tagged. Processes that share a sqlite file
    agree by a lock; those that share a server agree as long as their clocks differ by less than a second.
    """
    labels = {**tags, batch_tag: batch_id}
    if given := os.environ.get("MLFLOW_RUN_ID"):
        client.log_batch(given, tags=[RunTag(key, str(value)) for key, value in labels.items()])
        return given
    path = database.path_of(client.tracking_uri)
    experiment = _experiment(client, name)
    with database.locked(path) if path else nullcontext():
        found = runs_of(client, experiment, batch_id)
        if found:
            return str(found[0].info.run_id)
        created = client.create_run(experiment, tags=labels, run_name=_run_name(batch_id, tags)).info.run_id
    if not path:
        time.sleep(settling_seconds)
    run_id = runs_of(client, experiment, batch_id)[0].info.run_id
    if run_id != created:
        client.delete_run(created)
    return str(run_id)


def runs_of(client: MlflowClient, experiment: str, batch_id: str) -> list[Run]:
    """The runs of a batch that are not deleted, the oldest first."""
    found = client.search_runs([experiment], f"tags.`{batch_tag}` = {quoted(batch_id)}")
    return sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))


@answering()
def batches(client: MlflowClient, name: str) -> list[dict[str, str]]:
    """The tags of every batch's run in the experiment `name`, with its metrics as texts, by `until`, then by start."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return []
    found: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs([experiment.experiment_id], f"tags.`{batch_tag}` != ''", page_token=token)
        found, token = found + list(page), page.token
        if not token:
            break
    found.sort(key=lambda run: (run.data.tags.get("tidegate.until", ""), run.info.start_time))
    return [{**{key: str(value) for key, value in run.data.metrics.items()}, **run.data.tags} for run in found]


@answering()
def finish(client: MlflowClient, run_id: str, status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED") -> None:
    """End the run; the step that ends the batch calls it, and may call it again."""
    client.set_terminated(run_id, status)


def _run_name(batch_id: str, tags: Mapping[str, str]) -> str:
    return " ".join(part for part in (tags.get("tidegate.until", ""), batch_id[:8]) if part)


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return _created_experiment(client, name)
    if found.lifecycle_stage == "deleted":
        cure = f"run `mlflow experiments restore -x {found.experiment_id}`"
        raise TrackingError(f"experiment {name}", "an experiment that can be written", "a deleted one", cure)
    return str(found.experiment_id)


def _created_experiment(client: MlflowClient, name: str) -> str:
    try:
        return str(client.create_experiment(name, artifact_location=database.artifacts_of(client.tracking_uri)))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return _experiment(client, name)
