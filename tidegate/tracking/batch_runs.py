"""One MLflow run per batch: found or created by the batch's id, shared by the steps, resumed after a failure.

Kubeflow's MLflow plugin gives every task its own run, in its own experiment: there a batch has several runs, which
have its id as a tag and share its records.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from tidegate.process.context import kubeflow_run
from tidegate.process.errors import TrackingError
from tidegate.tracking import cache, database, direct, failures
from tidegate.tracking.claims import Runs, claim, first
from tidegate.tracking.numbered import granted
from tidegate.tracking.store import answering, quoted, signed_in
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Experiment, Reader, Run

# Ours, and the tag by which the plugin marks the run of the pipeline: one search finds all runs.
KUBEFLOW_TAGS = (Tag.KUBEFLOW_RUN, Tag.PLUGIN_RUN)


@answering()
def batch_run(client: MlflowClient, name: str, batch_id: str, tags: Mapping[str, str]) -> str:
    """The id of the batch's run in the experiment `name`, created if there is none.

    Concurrent callers get the same run. A run that Kubeflow's plugin opened (MLFLOW_RUN_ID) is used and tagged
    instead.
    """
    origin = dict.fromkeys(KUBEFLOW_TAGS, kubeflow_run() or "") if kubeflow_run() else {}
    labels = {**tags, **origin, Tag.BATCH: batch_id, Tag.NAME: name}
    if handed_over():
        _label(client, handed_over(), labels)
        cache.of(client).runs.pop(handed_over(), None)  # it may have been read without them
        return handed_over()
    experiment = ensure_experiment(client, name)

    def there() -> list[str]:
        return [str(run.info.run_id) for run in runs_of(client, experiment, batch_id)]

    runs = runs_of(client, experiment, batch_id)
    run_id = _marked(runs) or (runs and first(client, name, batch_id, there)) or ""
    run_id = run_id or _agreed(client, name, experiment, labels, there, runs)
    _label(client, run_id, origin)
    cache.of(client).holders[run_id] = run_id
    return run_id


def mark(client: Reader, run_id: str) -> dict[str, str]:
    """The tag that marks a run as the first claimed one; empty for a run of the plugin."""
    is_holder = cache.of(client).holders.get(run_id) == run_id
    return {Tag.CLAIMED: cache.run(client, run_id).data.tags[Tag.BATCH]} if is_holder else {}


def _marked(runs: Sequence[Run]) -> str | None:
    """The run with the tag of the first claim."""
    return next((str(run.info.run_id) for run in runs if Tag.CLAIMED in run.data.tags), None)


def holder(client: MlflowClient, run_id: str) -> str:
    """The run that holds the records of this run's batch: the first claimed one, the same for all its runs."""
    holders = cache.of(client).holders
    if run_id not in holders:
        holders[run_id] = _holder(client, run_id)
    return holders[run_id]


def _holder(client: MlflowClient, run_id: str) -> str:
    tags = cache.run(client, run_id).data.tags
    name, batch_id = tags.get(Tag.NAME), tags.get(Tag.BATCH)
    if not name or not batch_id:
        return run_id

    def there() -> list[str]:
        return [str(run.info.run_id) for run in of_same_batch(client, run_id)]

    return first(client, name, batch_id, there) or claim(client, name, batch_id, run_id, there)


def handed_over() -> str:
    """The id of the run that Kubeflow's plugin opened for this task; empty if it opened none."""
    return os.environ.get("MLFLOW_RUN_ID", "")


def runs_of(client: Reader, experiment: str, batch_id: str) -> list[Run]:
    """The runs of a batch in an experiment that are not deleted, the oldest first."""
    runs = searched(client, _experiments(client, experiment), f"tags.`{Tag.BATCH}` = {quoted(batch_id)}")
    return [run for run in runs if run.info.experiment_id == experiment]


def of_same_batch(client: Reader, run_id: str) -> list[Run]:
    """The runs of this run's batch in all experiments, the oldest first; only this run if it has no batch."""
    run = cache.run(client, run_id)
    batch = run.data.tags.get(Tag.BATCH)
    if batch is None:
        return [run]
    runs = searched(client, _experiments(client, run.info.experiment_id), f"tags.`{Tag.BATCH}` = {quoted(batch)}")
    return [other for other in runs if _is_of_batch(other, run)]


def last_read(client: Reader, run_id: str) -> list[Run]:
    """The runs of this run's batch as last read; requested only if they have not been read."""
    if run_id not in cache.of(client).holders:
        return of_same_batch(client, run_id)
    run = cache.run(client, run_id)
    return [other for other in cache.of(client).runs.values() if _is_of_batch(other, run)]


@answering()
def runs_about(client: Reader, name: str, query: str = "") -> list[Run]:
    """The runs of batches of the problem `name` that match a query, in all experiments, the oldest first.

    TrackingError where the problem's own experiment was deleted: its runs are there, and are not found.
    """
    if name not in cache.experiments(client):  # it may have been created since they were read
        cache.of(client).experiments.clear()
    experiment = cache.experiments(client).get(name)
    if experiment is None and (gone := _readable(client, name)) is not None:
        _refuse_deleted(gone)
    own = experiment.experiment_id if experiment else None
    whole = " AND ".join(filter(None, (f"tags.`{Tag.BATCH}` != ''", query)))
    return [run for run in searched(client, _experiments(client), whole) if _is_of(run, name, own)]


@answering()
def batches(client: Reader, name: str) -> list[dict[str, str]]:
    """The tags of every batch of the problem `name`, with its metrics as texts, by `until`, then by start."""
    by_batch: dict[str, dict[str, str]] = {}
    for run in runs_about(client, name):
        tags, metrics = run.data.tags, {key: str(value) for key, value in run.data.metrics.items()}
        by_batch.setdefault(tags[Tag.BATCH], {}).update(metrics | tags)
    return sorted(by_batch.values(), key=lambda tags: tags.get(Tag.UNTIL, ""))


@answering()
def finish(client: MlflowClient, run_id: str, status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED") -> None:
    """End the run; called by the step that ends the batch. Idempotent."""
    direct.end_run(client, run_id, status)


def _is_of_batch(run: Run, other: Run) -> bool:
    """Whether two runs belong to the same batch; problems with the same data can have the same batch ids."""
    same = run.data.tags.get(Tag.BATCH) == other.data.tags[Tag.BATCH]
    return same and _is_of(run, other.data.tags.get(Tag.NAME), other.info.experiment_id)


def _is_of(run: Run, name: str | None, experiment: str | None) -> bool:
    """Whether a run belongs to the problem `name`, whose own experiment is this one."""
    return bool(run.data.tags.get(Tag.NAME) == name or run.info.experiment_id == experiment)


def _label(client: MlflowClient, run_id: str, labels: Mapping[str, str]) -> None:
    from mlflow.entities import RunTag

    run = cache.of(client).runs.get(run_id)
    there = run.data.tags if run else {}
    if new := [RunTag(key, str(value)) for key, value in labels.items() if there.get(key) != str(value)]:
        client.log_batch(run_id, tags=new)


def searched(client: Reader, experiments: Sequence[str], query: str) -> list[Run]:
    """The runs of experiments that match, the oldest first."""
    runs: list[Run] = []
    token: str | None = "" if experiments else None
    while token is not None:
        page = client.search_runs(list(experiments), query, page_token=token or None)
        runs += page
        token = page.token or None
    cache.of(client).runs.update({str(run.info.run_id): run for run in runs})
    return sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id))


def _experiments(client: Reader, one: str | None = None) -> list[str]:
    """The ids of all experiments; read again when this one is not among them."""
    ids = [str(experiment.experiment_id) for experiment in cache.experiments(client).values()]
    if one is None or one in ids:
        return ids
    cache.of(client).experiments.clear()
    return [str(experiment.experiment_id) for experiment in cache.experiments(client).values()]


def _agreed(
    client: MlflowClient, name: str, experiment: str, labels: Mapping[str, str], there: Runs, runs: Sequence[Run]
) -> str:
    """The run of a batch without a claim: one is created and claimed, and deleted if another process was faster."""
    # A run without a claim was left by a process that was killed before its claim.
    run_id = str(runs[0].info.run_id) if runs else _created(client, experiment, labels)
    agreed = claim(client, name, labels[Tag.BATCH], run_id, there)
    if agreed != run_id and not runs:
        client.delete_run(run_id)
    return agreed


def _created(client: MlflowClient, experiment: str, labels: Mapping[str, str]) -> str:
    name = " ".join(filter(None, (labels.get(Tag.UNTIL), labels[Tag.BATCH][:8])))
    run = client.create_run(experiment, tags=dict(labels), run_name=name)
    cache.of(client).runs[str(run.info.run_id)] = run
    return str(run.info.run_id)


def ensure_experiment(client: MlflowClient, name: str) -> str:
    """The id of the experiment `name`, created if there is none; TrackingError when the user may not write to it."""
    experiment = cache.experiments(client).get(name)
    return str(experiment.experiment_id) if experiment else _created_experiment(client, name)


def _created_experiment(client: MlflowClient, name: str) -> str:
    try:
        place = database.artifacts_of(client.tracking_uri)
        experiment_id = str(client.create_experiment(name, artifact_location=place))
    except failures.of_mlflow() as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        experiment_id = _taken(client, name)
    cache.of(client).experiments.clear()  # the new one is not among them
    return experiment_id


def _taken(client: MlflowClient, name: str) -> str:
    """The experiment that another process created meanwhile; TrackingError when it is deleted or not writable."""
    experiment = next((readable for _ in granted() if (readable := _readable(client, name))), None)
    if experiment is None:
        cure = "let its owner or an admin grant EDIT on it, or choose another `name` in contract.yaml"
        expected = f"one that {signed_in()} may read and write"
        raise TrackingError(f"experiment {name}", expected, "one of another user", cure)
    _refuse_deleted(experiment)
    return str(experiment.experiment_id)


def _refuse_deleted(experiment: Experiment) -> None:
    if experiment.lifecycle_stage == "deleted":
        cure = f"run `mlflow experiments restore -x {experiment.experiment_id}`"
        raise TrackingError(f"experiment {experiment.name}", "one that is not deleted", "a deleted one", cure)


def _readable(client: Reader, name: str) -> Experiment | None:
    """An experiment, even a deleted one; None when the user may not read it."""
    try:
        return client.get_experiment_by_name(name)
    except failures.of_mlflow() as error:
        if error.error_code != "PERMISSION_DENIED":
            raise
        return None
