"""Reads all that MLflow holds of a problem, so that a copy made while a turn runs is one that holds together.

What refers is read before what it refers to: the journal, the versions and the claims, then runs and models, then
files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tidegate.process import limits
from tidegate.process.errors import TrackingError
from tidegate.process.wheel import version as tidegate_version
from tidegate.tracking import artifacts, batch_runs, numbered, windows
from tidegate.tracking.backups.inventory import (
    DatasetCopy,
    FileCopy,
    Inventory,
    Measurement,
    ModelCopy,
    RegisteredCopy,
    RunCopy,
    VersionCopy,
    registered_names,
)
from tidegate.tracking.bundle import BUNDLE
from tidegate.tracking.entries import NONE
from tidegate.tracking.models import DESCRIBED
from tidegate.tracking.store import answering, quoted
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel

OF_MLFLOW = "mlflow.modelVersions"  # a tag of logged models that a server writes itself
Keep = Callable[[bytes], str]  # takes a file into the copy and returns its digest


@answering()
def inventory(client: MlflowClient, name: str, made: str, keep: Keep) -> Inventory:
    """All of the problem `name`, its files given to `keep`; TrackingError where MLflow has nothing of it."""
    journal, versions, claims = (_registered(client, each) for each in reversed(registered_names(name)))
    every = [*batch_runs.runs_about(client, name), *windows.runs(client, name)]
    ids = [str(run.info.run_id) for run in every]
    if not (ids or journal.versions or versions.versions):
        raise TrackingError(name, "a problem that MLflow knows", "none of this name", "see MLFLOW_TRACKING_URI")
    runs = tuple(_run(client, run_id, keep) for run_id in ids)
    models = tuple(_model(client, model, keep) for model in _models(client, ids))
    counted = replace(versions, last=max([versions.last, *_named(journal)]))
    return Inventory(name, made, tidegate_version(), runs, models, (claims, counted, journal))


def _registered(client: MlflowClient, name: str) -> RegisteredCopy:
    model = next(iter(client.search_registered_models(f"name = {quoted(name)}", max_results=1)), None)
    versions = tuple(
        VersionCopy(int(each.version), str(each.source), each.run_id or "", dict(each.tags))
        for each in numbered.listed(client, name)
    )
    purpose, tags, aliases = (model.description or "", model.tags, model.aliases) if model else ("", {}, {})
    last = max((each.number for each in versions), default=0)
    own = {key: str(value) for key, value in aliases.items()}
    return RegisteredCopy(name, purpose, dict(tags), own, last, versions)


def _named(journal: RegisteredCopy) -> Iterator[int]:
    """The versions that the journal names; one of them may be gone, and its number is not given again."""
    for entry in journal.versions:
        for number in (entry.tags.get(Tag.FROM, NONE), entry.tags.get(Tag.TO, NONE)):
            if number.isdecimal():
                yield int(number)


def _run(client: MlflowClient, run_id: str, keep: Keep) -> RunCopy:
    run = client.get_run(run_id)
    metrics = [point for key in sorted(run.data.metrics) for point in client.get_metric_history(run_id, key)]
    place = str(run.info.artifact_uri)
    return RunCopy(
        run_id,
        str(run.info.run_name or ""),
        str(run.info.status),
        int(run.info.start_time),
        run.info.end_time,
        dict(run.data.tags),
        dict(run.data.params),
        tuple(Measurement(each.key, repr(each.value), each.timestamp, each.step) for each in metrics),
        tuple(_dataset(each) for each in (run.inputs.dataset_inputs if run.inputs else ())),
        tuple(_files(client, place, list(paths_of(client, run_id)), keep)),
    )


def paths_of(client: MlflowClient, run_id: str, folder: str | None = None) -> Iterator[str]:
    """The files of a run, below its artifacts."""
    for each in client.list_artifacts(run_id, folder):
        if each.is_dir:
            yield from paths_of(client, run_id, each.path)
        else:
            yield each.path


def _dataset(used: DatasetInput) -> DatasetCopy:
    data = used.dataset
    tags = {tag.key: tag.value for tag in used.tags}
    return DatasetCopy(data.name, data.digest, data.source_type, data.source, tags)


def _models(client: MlflowClient, run_ids: Sequence[str]) -> Iterator[LoggedModel]:
    """The models of these runs that are whole, the oldest first."""
    from mlflow.entities import LoggedModelStatus

    experiments = sorted({str(client.get_run(run_id).info.experiment_id) for run_id in run_ids})
    models: list[LoggedModel] = []
    token: str | None = "" if experiments else None
    while token is not None:
        page = client.search_logged_models(experiments, page_token=token or None)
        models += page
        token = page.token or None
    whole = [each for each in models if each.source_run_id in run_ids and each.status == LoggedModelStatus.READY]
    yield from sorted(whole, key=lambda each: (each.creation_timestamp, str(each.model_id)))


def _model(client: MlflowClient, model: LoggedModel, keep: Keep) -> ModelCopy:
    place = str(model.artifact_location)
    return ModelCopy(
        str(model.model_id),
        str(model.name),
        str(model.source_run_id),
        place,
        {key: value for key, value in (model.tags or {}).items() if key != OF_MLFLOW},
        {key: str(value) for key, value in (model.params or {}).items()},
        tuple(_files(client, place, [DESCRIBED, BUNDLE], keep)),
    )


def _files(client: MlflowClient, place: str, paths: Sequence[str], keep: Keep) -> Iterator[FileCopy]:
    for path in paths:
        content = artifacts.read(client, place, path, limits.MOST_TRANSFER_SECONDS)
        if content is not None:
            yield FileCopy(path, keep(content))
