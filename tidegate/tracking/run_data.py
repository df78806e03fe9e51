"""Logging to the batch's run: parameters, metrics, tags, files and datasets."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tidegate.process.errors import TrackingError
from tidegate.process.redaction import hidden
from tidegate.tracking import artifacts, cache
from tidegate.tracking.artifacts import Content
from tidegate.tracking.batch_runs import of_same_batch
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Reader

LONGEST_PARAMETER = 6000
REMOVED = (
    '<!DOCTYPE html><html lang="en"><title>{0}</title><p>{0} of this batch was removed by <code>tidegate prune</code>'
    " on {1}; the decision is still recorded.</p></html>\n"
)
MOST, MOST_METRICS = 100, 800  # per request, parameters or tags, and metrics: MLflow accepts 1,000 in total


class Point(NamedTuple):
    """The value of a metric at a step; None and NaN are not logged."""

    name: str
    value: float | None
    step: int = 0


@answering()
def values(
    client: MlflowClient,
    run_id: str,
    params: Mapping[str, object] | None = None,
    metrics: Sequence[Point] = (),
    tags: Mapping[str, str] | None = None,
) -> list[str]:
    """Log parameters, metrics and tags in as few requests as possible.

    Tags are replaced. Parameters are immutable in MLflow: existing ones stay, and the names of those with another
    value are returned. No text contains a secret of the environment.
    """
    from mlflow.entities import Metric, Param, RunTag

    there = cache.run(client, run_id).data.params if params else {}
    texts = {key: hidden(str(value))[:LONGEST_PARAMETER] for key, value in (params or {}).items()}
    now = int(time.time() * 1000)
    new = [Param(key, text) for key, text in texts.items() if key not in there]
    points = [
        Metric(point.name, float(point.value), now, point.step)
        for point in metrics
        if point.value is not None and not math.isnan(point.value)
    ]
    notes = [RunTag(key, hidden(value)) for key, value in (tags or {}).items()]
    while new or points or notes:
        client.log_batch(run_id, points[:MOST_METRICS], new[:MOST], notes[:MOST])
        new, points, notes = new[MOST:], points[MOST_METRICS:], notes[MOST:]
    there.update({key: text for key, text in texts.items() if key not in there})
    return [key for key, text in texts.items() if there[key] != text]


@answering()
def files(client: MlflowClient, run_id: str, contents: Mapping[str, Content], folder: str | None = None) -> None:
    """Log files by name from paths, bytes or text; an existing file is replaced."""
    artifacts.write(client, cache.run(client, run_id).info.artifact_uri, contents, folder)


@answering()
def text(client: Reader, run_id: str, path: str) -> str:
    """The text of a file that a run of this run's batch logged; `path` is relative to the run's artifacts."""
    content = text_if_any(client, run_id, path)
    if content is None:
        raise TrackingError(f"run {run_id}", f"the file {path}", "no such file", "restore it")
    return content


@answering()
def page(client: Reader, run_id: str, path: str) -> str:
    """As `text`; where `tidegate prune` has removed a page, one that says so."""
    content = text_if_any(client, run_id, path)
    if content is None and path.endswith(".html"):
        days = [run.data.tags[Tag.PRUNED] for run in of_same_batch(client, run_id) if Tag.PRUNED in run.data.tags]
        if days:
            return REMOVED.format(path.rpartition("/")[2], max(days))
    return text(client, run_id, path) if content is None else content


@answering()
def text_if_any(client: Reader, run_id: str, path: str) -> str | None:
    """The text of a file as `text` gives it, None where there is no such file."""
    for run in of_same_batch(client, run_id):
        content = artifacts.read(client, run.info.artifact_uri, path)
        if content is not None:
            return content.decode()
    return None


@answering()
def dataset(client: MlflowClient, run_id: str, name: str, version: str, context: str) -> None:
    """Log the dataset that the run read: its DVC version, and its context (`training` or `batch`)."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = {"name": name, "version": version}
    data = Dataset(name, version.removesuffix(".dir")[:36], "dvc", json.dumps(source))
    tags = [InputTag("mlflow.data.context", context), InputTag("dvc", version)]
    client.log_inputs(run_id, [DatasetInput(data, tags)])
