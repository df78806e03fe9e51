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
from components.tracking import database, numbered
from components.tracking.store import answering, quoted

batch_tag = "tidegate.batch"
name_tag = "tidegate.name"
# Ours, and the one by which the plugin marks the run of the whole pipeline: one search finds all.
kubeflow_tags = ("tidegate.kubeflow.run", "kfp.pipeline_run_id")


@answering()
def batch_run(client: MlflowClient, name: str, batch_id: str, tags: Mapping[str, str]) -> str:
    """The id of the batch's run in the experiment `name`, created if there is none.

    The run that Kubeflow's plugin handed over (MLFLOW_RUN_ID) is used and tagged instead. Processes that share a
    sqlite file agree by a lock, those that share a server by claims: the first one counts.
    """
    origin = dict.fromkeys(kubeflow_tags, kubeflow_run() or "") if kubeflow_run() else {}
    labels = {**tags, **origin, batch_tag: batch_id, name_tag: name}
    if handed_over():
        _label(client, handed_over(), labels)
        return handed_over()
    experiment = _experiment(client, name)
    if path := database.path_of(client.tracking_uri):
        with database.locked(path):
            found = runs_of(client, experiment, batch_id)
            run_id = str(found[0].info.run_id) if found else _created(client, experiment, labels)
    else:
        run_id = _claimed(client, name, experiment, labels)
    _label(client, run_id, origin)
    return run_id


def handed_over() -> str:
    """The id of the run that Kubeflow's plugin opened for this task; an empty text where it opened none."""
    return os.environ.get("MLFLOW_RUN_ID", "")


def claims_of(name: str) -> str:
    """The registered model whose versions say which run is that of a batch of the problem `name`."""
    return f"{name}.batches"


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


def _claimed(client: MlflowClient, name: str, experiment: str, labels: Mapping[str, str]) -> str:
    """The run that was claimed first for the batch; without any claim one is created and claimed."""
    batch_id = labels[batch_tag]
    claimed, there = _claims(client, name, experiment, batch_id)
    if claimed:
        return claimed[0]
    created = None if there else _created(client, experiment, labels)
    run_id = created or there[0]  # there is one whose creator was killed, or that is older than claims
    numbered.append(client, claims_of(name), f"runs:/{run_id}/batch", run_id, {batch_tag: batch_id})
    first = _claims(client, name, experiment, batch_id)[0][0]
    if created and created != first:
        client.delete_run(created)
    return first


def _claims(client: MlflowClient, name: str, experiment: str, batch_id: str) -> tuple[list[str], list[str]]:
    """The runs of the batch that were claimed, in the order of the claims; and all of them, the oldest first."""
    claims = numbered.listed(client, claims_of(name), {batch_tag: batch_id})
    # Asked last: what was claimed until then is among them.
    there = [str(run.info.run_id) for run in runs_of(client, experiment, batch_id)]
    return [claim.run_id for claim in claims if claim.run_id in there], there


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
