"""One MLflow run per batch: found or created by the batch's id, shared by the steps, resumed after any failure.

Kubeflow's MLflow plugin hands every task a run of its own, in an experiment of its own: there the runs of a batch are
several, which bear its id and share what they record and log.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Literal

from mlflow import MlflowClient
from mlflow.entities import Run, RunTag
from mlflow.exceptions import MlflowException

from components.context import kubeflow_run
from components.errors import TrackingError
from components.tracking import database
from components.tracking.claims import Runs, batch_tag, claim, first
from components.tracking.store import answering, quoted

name_tag = "tidegate.name"
# Ours, and the one by which the plugin marks the run of the whole pipeline: one search finds all.
kubeflow_tags = ("tidegate.kubeflow.run", "kfp.pipeline_run_id")


@answering()
def batch_run(client: MlflowClient, name: str, batch_id: str, tags: Mapping[str, str]) -> str:
    """The id of the batch's run in the experiment `name`, created if there is none.

    Whoever begins the batch at the same time gets the same one. The run that Kubeflow's plugin handed over
    (MLFLOW_RUN_ID) is used and tagged instead.
    """
    origin = dict.fromkeys(kubeflow_tags, kubeflow_run() or "") if kubeflow_run() else {}
    labels = {**tags, **origin, batch_tag: batch_id, name_tag: name}
    if handed_over():
        _label(client, handed_over(), labels)
        return handed_over()
    experiment = _experiment(client, name)

    def there() -> list[str]:
        return [str(run.info.run_id) for run in runs_of(client, experiment, batch_id)]

    run_id = first(client, name, batch_id, there) or _agreed(client, name, experiment, labels, there)
    _label(client, run_id, origin)
    return run_id


def holder(client: MlflowClient, run_id: str) -> str:
    """The run that holds what the batch of this run records once, the same for all its runs: the first claimed one."""
    tags = client.get_run(run_id).data.tags
    name, batch_id = tags.get(name_tag), tags.get(batch_tag)
    if not name or not batch_id:
        return run_id

    def there() -> list[str]:
        return [str(run.info.run_id) for run in of_same_batch(client, run_id)]

    return first(client, name, batch_id, there) or claim(client, name, batch_id, run_id, there)


def handed_over() -> str:
    """The id of the run that Kubeflow's plugin opened for this task; an empty text where it opened none."""
    return os.environ.get("MLFLOW_RUN_ID", "")


def runs_of(client: MlflowClient, experiment: str, batch_id: str) -> list[Run]:
    """The runs of a batch in an experiment that are not deleted, the oldest first."""
    return _searched(client, [experiment], f"tags.`{batch_tag}` = {quoted(batch_id)}")


def of_same_batch(client: MlflowClient, run_id: str) -> list[Run]:
    """The runs of the batch of this run in every experiment, the oldest first; this run alone if it has no batch."""
    run = client.get_run(run_id)
    batch = run.data.tags.get(batch_tag)
    if batch is None:
        return [run]
    found = _searched(client, list(_experiments(client)), f"tags.`{batch_tag}` = {quoted(batch)}")
    return [other for other in found if _is_of(other, run.data.tags.get(name_tag), run.info.experiment_id)]


@answering()
def runs_about(client: MlflowClient, name: str, query: str = "") -> list[Run]:
    """The runs of batches of the problem `name` that a query finds, in every experiment, the oldest first."""
    experiment = client.get_experiment_by_name(name)
    own = experiment.experiment_id if experiment else None
    whole = " AND ".join(part for part in (f"tags.`{batch_tag}` != ''", query) if part)
    return [run for run in _searched(client, list(_experiments(client)), whole) if _is_of(run, name, own)]


@answering()
def batches(client: MlflowClient, name: str) -> list[dict[str, str]]:
    """The tags of every batch of the problem `name`, with its metrics as texts, by `until`, then by start."""
    found: dict[str, dict[str, str]] = {}
    for run in runs_about(client, name):
        tags, metrics = run.data.tags, {key: str(value) for key, value in run.data.metrics.items()}
        found.setdefault(tags[batch_tag], {}).update(metrics | tags)
    return sorted(found.values(), key=lambda tags: tags.get("tidegate.until", ""))


@answering()
def finish(client: MlflowClient, run_id: str, status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED") -> None:
    """End the run; the step that ends the batch calls it, and may call it again."""
    client.set_terminated(run_id, status)


def _is_of(run: Run, name: str | None, experiment: str | None) -> bool:
    """Whether a run is of the problem `name`, whose own experiment is this one."""
    return bool(run.data.tags.get(name_tag) == name or run.info.experiment_id == experiment)


def _label(client: MlflowClient, run_id: str, labels: Mapping[str, str]) -> None:
    if labels:
        client.log_batch(run_id, tags=[RunTag(key, str(value)) for key, value in labels.items()])


def _searched(client: MlflowClient, experiments: list[str], query: str) -> list[Run]:
    found: list[Run] = []
    token: str | None = ""
    while token is not None:
        page = client.search_runs(experiments, query, page_token=token or None)
        found += page
        token = page.token or None
    return sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))


def _experiments(client: MlflowClient) -> Iterator[str]:
    token: str | None = ""
    while token is not None:
        page = client.search_experiments(page_token=token or None)
        yield from (str(experiment.experiment_id) for experiment in page)
        token = page.token or None


def _agreed(client: MlflowClient, name: str, experiment: str, labels: Mapping[str, str], there: Runs) -> str:
    """The run of a batch that has no claim yet: one is created and claimed, and is dropped if another was quicker."""
    left = there()  # by one that was killed before it claimed, or of a time before there were claims
    run_id = left[0] if left else _created(client, experiment, labels)
    agreed = claim(client, name, labels[batch_tag], run_id, there)
    if agreed != run_id and not left:
        client.delete_run(run_id)
    return agreed


def _created(client: MlflowClient, experiment: str, labels: Mapping[str, str]) -> str:
    told = (labels.get("tidegate.until", ""), labels[batch_tag][:8])
    name = " ".join(part for part in told if part)
    return str(client.create_run(experiment, tags=dict(labels), run_name=name).info.run_id)


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
