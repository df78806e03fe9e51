"""What the steps log to the batch's run: parameters, metrics, files, the data they read."""

import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from components.errors import TrackingError
from components.tracking.runs import of_same_batch
from components.tracking.store import answering

longest_parameter = 6000
parameters_per_request = 100

Content = Path | bytes | str


@answering()
def params(client: MlflowClient, run_id: str, values: Mapping[str, object]) -> list[str]:
    """Log parameters; one that is there stays as it is (MLflow never changes one), and is returned if it differs."""
    there = client.get_run(run_id).data.params
    texts = {key: str(value)[:longest_parameter] for key, value in values.items()}
    new = [Param(key, text) for key, text in texts.items() if key not in there]
    for start in range(0, len(new), parameters_per_request):
        client.log_batch(run_id, params=new[start : start + parameters_per_request])
    return [key for key, text in texts.items() if there.get(key, text) != text]


@answering()
def metrics(client: MlflowClient, run_id: str, values: Mapping[str, float | None], step: int = 0) -> None:
    """Log the metrics that have a value; None and NaN have none."""
    now = int(time.time() * 1000)
    known = {key: value for key, value in values.items() if value is not None and not math.isnan(value)}
    client.log_batch(run_id, metrics=[Metric(key, float(value), now, step) for key, value in known.items()])


@answering()
def files(client: MlflowClient, run_id: str, contents: Mapping[str, Content], folder: str | None = None) -> None:
    """Log files by name: a Path is copied, bytes (a figure) and text are written as they are; the last one stays."""
    with staged(contents) as staging:
        client.log_artifacts(run_id, str(staging), folder)


@answering()
def text(client: MlflowClient, run_id: str, path: str) -> str:
    """The text of a file that a run of this run's batch logged; `path` is relative to the run's artifacts."""
    folder = path.rpartition("/")[0]
    holders = (run.info.run_id for run in of_same_batch(client, run_id))
    held = (it for it in holders if path in {info.path for info in client.list_artifacts(it, folder or None)})
    if (holder := next(held, None)) is None:
        raise TrackingError(f"run {run_id}", f"the file {path}", "no such file", "restore it")
    with tempfile.TemporaryDirectory() as target:
        found = mlflow.artifacts.download_artifacts(
            f"runs:/{holder}/{path}", dst_path=target, tracking_uri=client.tracking_uri
        )
        return Path(found).read_text(encoding="utf-8")


@answering()
def tags(client: MlflowClient, run_id: str, values: Mapping[str, str]) -> None:
    """Tag the run; a tag that is there is replaced."""
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in values.items()])


@answering()
def dataset(client: MlflowClient, run_id: str, name: str, version: str, context: str) -> None:
    """Log the data that the run read: its DVC hash, and what for (`training`, `batch`)."""
    source = {"name": name, "version": version}
    data = Dataset(name, version.removesuffix(".dir")[:36], "dvc", json.dumps(source))
    tags = [InputTag("mlflow.data.context", context), InputTag("dvc", version)]
    client.log_inputs(run_id, [DatasetInput(data, tags)])


@contextmanager
def staged(contents: Mapping[str, Content]) -> Iterator[Path]:
    """A temporary folder that holds the contents under their names."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes_of(content))
        yield Path(folder)


def bytes_of(content: Content) -> bytes:
    """What a file with this content holds."""
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else content
