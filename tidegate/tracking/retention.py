"""What MLflow holds of a problem that nobody needs after a time, and its removal, which can be repeated after a kill.

Of a decided batch the run stays, with its tags, metrics, records and verdicts: `batches`, `lineage`, the gate and the
verdicts read them. Its pages and the models that no version was made of go. A run without a decision goes whole. All
that belongs to a registered version, to a batch still being worked on or to the newest batch stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tidegate.tracking import artifacts, batch_runs, database, journal, numbered, windows
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

PAGES = re.compile(r".*\.(html|svg|png)|.*/snapshot\.json")
ENDED = ("FINISHED", "FAILED", "KILLED")
DECIDED = (Tag.DECISION, Tag.VERDICT)


@dataclass(frozen=True)
class Surplus:
    """What goes of one run: the sizes of its files and of its models by what names them; `whole` is all of the run."""

    run_id: str
    place: str
    whole: bool
    files: Mapping[str, int]
    models: Mapping[tuple[str, str], int]

    @property
    def bytes(self) -> int:
        """Of the files and the models."""
        return sum(self.files.values()) + sum(self.models.values())


@answering()
def surplus(client: MlflowClient, name: str, before: datetime) -> list[Surplus]:
    """What goes of the runs of the problem `name` that ended before this moment, the oldest first."""
    journal.history(client, name)  # refuses a registry that is not whole
    versions = numbered.listed(client, name)
    every_run = [*batch_runs.runs_about(client, name), *windows.runs(client, name)]
    runs = [client.get_run(str(run.info.run_id)) for run in every_run]
    kept = {str(version.run_id) for version in versions} | {_newest(runs)}
    models = _models(client, runs, {str(version.source) for version in versions})
    every = [_of(client, run, True, models) for run in _deleted(client, name) if _ended_before(run, before)]
    for of_batch in _by_batch(runs).values():
        ids = {str(run.info.run_id) for run in of_batch}
        if not ids & kept and all(_ended_before(run, before) for run in of_batch):
            whole = not any(_is_decided(run) for run in of_batch)
            every += [_of(client, run, whole, models) for run in of_batch]
    return [each for each in every if each.whole or each.files or each.models]


@answering()
def remove(client: MlflowClient, each: Surplus) -> None:
    """Remove it: what refers to something goes after that, so that a removal that was killed is found again."""
    store = client._tracking_client.store if database.path_of(client.tracking_uri) else None
    for model_id, place in each.models:
        artifacts.delete(client, place)
        client.delete_logged_model(model_id)
        if store:
            store._hard_delete_logged_model(model_id)  # what `mlflow gc` does, which a server has to be told there
    if each.whole:
        artifacts.delete(client, each.place)
        if client.get_run(each.run_id).info.lifecycle_stage == "active":
            client.delete_run(each.run_id)
        if store:
            store._hard_delete_run(each.run_id)
        return
    client.set_tag(each.run_id, Tag.PRUNED, f"{datetime.now(UTC):%Y-%m-%d}")
    for path in each.files:
        artifacts.delete(client, each.place, path)


def _newest(runs: Sequence[Run]) -> str:
    """The run of the newest batch that was decided: the next turn may ask for its pages."""
    decided = [run for run in runs if Tag.DECISION in run.data.tags]
    return max(decided, key=lambda run: run.data.tags.get(Tag.UNTIL, "")).info.run_id if decided else ""


def _ended_before(run: Run, moment: datetime) -> bool:
    """Whether a run has ended, and before this moment; one that has not is a batch still being worked on."""
    end = run.info.end_time or run.info.start_time
    ended = run.info.status in ENDED or run.info.lifecycle_stage == "deleted"
    return ended and end < moment.timestamp() * 1000


def _by_batch(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs of each batch: under Kubeflow's plugin each task has its own, and one of them is decided.

    A window of requests has one.
    """
    batches: dict[str, list[Run]] = {}
    for run in runs:
        batches.setdefault(run.data.tags.get(Tag.BATCH) or run.data.tags[Tag.WINDOW], []).append(run)
    return batches


def _is_decided(run: Run) -> bool:
    return any(tag in DECIDED or tag.startswith(Tag.USE) for tag in run.data.tags)


def _of(client: MlflowClient, run: Run, whole: bool, models: Mapping[str, list[LoggedModel]]) -> Surplus:
    run_id, place = str(run.info.run_id), str(run.info.artifact_uri)
    sizes = artifacts.listed(client, place)
    files = {path: size for path, size in sorted(sizes.items()) if whole or PAGES.fullmatch(path)}
    places = {(str(model.model_id), str(model.artifact_location)) for model in models.get(run_id, [])}
    of_models = {(model, there): sum(artifacts.listed(client, there).values()) for model, there in sorted(places)}
    return Surplus(run_id, place, whole, files, of_models)


def _models(client: MlflowClient, runs: Sequence[Run], registered: set[str]) -> dict[str, list[LoggedModel]]:
    """The logged models of each run that no version was made of."""
    by_run: dict[str, list[LoggedModel]] = {}
    for model in _every_model(client, sorted({str(run.info.experiment_id) for run in runs})):
        if str(model.artifact_location) not in registered:
            by_run.setdefault(str(model.source_run_id), []).append(model)
    return by_run


def _every_model(client: MlflowClient, experiments: list[str]) -> Iterator[LoggedModel]:
    token: str | None = "" if experiments else None
    while token is not None:
        page = client.search_logged_models(experiments, page_token=token or None)
        yield from page
        token = page.token or None


def _deleted(client: MlflowClient, name: str) -> Iterator[Run]:
    """Runs that are deleted and still there; a server is to be told by `mlflow gc` what becomes of them."""
    from mlflow.entities import ViewType

    experiment = client.get_experiment_by_name(name) if database.path_of(client.tracking_uri) else None
    token: str | None = "" if experiment else None
    while experiment and token is not None:
        page = client.search_runs([experiment.experiment_id], "", ViewType.DELETED_ONLY, page_token=token or None)
        yield from page
        token = page.token or None
