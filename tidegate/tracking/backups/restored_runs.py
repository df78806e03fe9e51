"""Runs and logged models of a copy, put back; each is whole once it has its own tags, which are written last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tidegate.tracking import artifacts
from tidegate.tracking.backups.container import Copy
from tidegate.tracking.backups.inventory import DatasetCopy, FileCopy, ModelCopy, RunCopy
from tidegate.tracking.run_data import MOST, MOST_METRICS
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel, Run


class Place(NamedTuple):
    """Where the files of a logged model are, and its id."""

    uri: str
    model_id: str | None


def runs(client: MlflowClient, experiment: str, copy: Copy) -> dict[str, str]:
    """The ids of all runs by those that they had."""
    there: dict[str, Run] = {}
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment], page_token=token or None)
        there |= {old: run for run in page for old in _restored(run.data.tags, copy.digest)}
        token = page.token or None
    return {run.id: _run(client, experiment, copy, run, there.get(run.id)) for run in copy.inventory.runs}


def models(client: MlflowClient, experiment: str, copy: Copy, runs: Mapping[str, str]) -> dict[str, Place]:
    """The logged models by the places that they had."""
    there: dict[str, LoggedModel] = {}
    token: str | None = ""
    while token is not None:
        page = client.search_logged_models([experiment], page_token=token or None)
        there |= {old: model for model in page for old in _restored(model.tags or {}, copy.digest)}
        token = page.token or None
    return {
        model.place: _model(client, experiment, copy, model, runs[model.run], there.get(model.id))
        for model in copy.inventory.models
    }


def _restored(tags: Mapping[str, str], digest: str) -> list[str]:
    """The id that a run or a model had in the copy of this digest; one that was restored before has others as well."""
    ids = {key.removeprefix(Tag.RESTORED): of for key, of in tags.items() if key.startswith(Tag.RESTORED)}
    return [old for old, of in ids.items() if of == digest]


def _run(client: MlflowClient, experiment: str, copy: Copy, run: RunCopy, there: Run | None) -> str:
    if there is None:
        own = {Tag.RESTORED + run.id: copy.digest}
        there = client.create_run(experiment, start_time=run.start_time, tags=own, run_name=run.title)
    elif run.tags.items() <= there.data.tags.items():
        return str(there.info.run_id)
    run_id = str(there.info.run_id)
    _write(client, str(there.info.artifact_uri), copy, run.files)
    _log(client, run_id, run)
    return run_id


def _log(client: MlflowClient, run_id: str, run: RunCopy) -> None:
    """The parameters, metrics, datasets and the end of a run, then its tags; what is there already is not doubled."""
    from mlflow.entities import Metric, Param, RunStatus, RunTag

    params = [Param(key, value) for key, value in run.params.items()]
    points = [Metric(each.name, float(each.value), each.timestamp, each.step) for each in run.metrics]
    while params or points:
        client.log_batch(run_id, points[:MOST_METRICS], params[:MOST])
        params, points = params[MOST:], points[MOST_METRICS:]
    if run.datasets:
        client.log_inputs(run_id, [_dataset(each) for each in run.datasets])
    status = RunStatus.from_string(run.status)
    client._tracking_client.store.update_run_info(run_id, status, run.end_time, None)
    tags = [RunTag(key, value) for key, value in run.tags.items()]
    while tags:
        client.log_batch(run_id, tags=tags[:MOST])
        tags = tags[MOST:]


def _dataset(each: DatasetCopy) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = Dataset(each.name, each.digest, each.source_type, each.source)
    return DatasetInput(data, [InputTag(key, value) for key, value in each.tags.items()])


def _model(
    client: MlflowClient, experiment: str, copy: Copy, model: ModelCopy, run_id: str, there: LoggedModel | None
) -> Place:
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    if there is None:
        tags = {**model.tags, Tag.RESTORED + model.id: copy.digest}
        there = client.create_logged_model(experiment, model.title, run_id, tags, dict(model.params))
    if there.status != LoggedModelStatus.READY:
        _write(client, str(there.artifact_location), copy, model.files)
        client.finalize_logged_model(there.model_id, "READY")
    outputs = client.get_run(run_id).outputs
    if there.model_id not in {each.model_id for each in (outputs.model_outputs if outputs else ())}:
        client.log_outputs(run_id, [LoggedModelOutput(str(there.model_id), step=0)])
    return Place(str(there.artifact_location), str(there.model_id))


def _write(client: MlflowClient, place: str, copy: Copy, files: tuple[FileCopy, ...]) -> None:
    for file in files:
        artifacts.write(client, place, {file.path: copy.content(file.digest)})
