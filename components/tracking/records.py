"""Write-once documents of a batch, such as its decision: the first one written is the one returned ever after."""

import json
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from components.errors import TrackingError
from components.tracking import logs
from components.tracking.runs import holder, of_same_batch
from components.tracking.store import answering

folder = "records"


def question(name: str, asked: Mapping[str, Any]) -> str:
    """The name under which the answer to a question is recorded: the same question gives the same name."""
    return f"{name}.{sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]}"


@answering()
def record(client: MlflowClient, run_id: str, name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Record the document under `name` unless the batch has one; returns the one it has.

    A parameter of the batch's holder, which MLflow never changes, has the digest of the document: of racing writers
    exactly one wins, and a writer that dies leaves nothing that counts.
    """
    if (first := recorded(client, run_id, name)) is not None:
        return first
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    digest = sha256(text.encode()).hexdigest()
    run_id = holder(client, run_id)
    logs.files(client, run_id, {_path(name, digest): text})
    try:
        client.log_param(run_id, _key(name), digest)
    except MlflowException as error:
        if error.error_code != "INVALID_PARAMETER_VALUE":
            raise
    found = recorded(client, run_id, name)
    if found is None:
        raise TrackingError(f"{name} of run {run_id}", "the record just written", "nothing", "run the step again")
    return found


@answering()
def recorded(client: MlflowClient, run_id: str, name: str) -> dict[str, Any] | None:
    """The document that the batch of this run recorded under `name`, None if it recorded none."""
    for candidate in of_same_batch(client, run_id):
        if digest := candidate.data.params.get(_key(name)):
            return _document(client, candidate, name, digest)
    return None


def _document(client: MlflowClient, run: Run, name: str, digest: str) -> dict[str, Any]:
    uri = f"runs:/{run.info.run_id}/{_path(name, digest)}"
    with tempfile.TemporaryDirectory() as target:
        path = mlflow.artifacts.download_artifacts(uri, dst_path=target, tracking_uri=client.tracking_uri)
        content = Path(path).read_bytes()
    if sha256(content).hexdigest() != digest:
        raise TrackingError(
            f"{name} of run {run.info.run_id}", "the record as written", "another one", "restore the file"
        )
    return dict(json.loads(content))


def _key(name: str) -> str:
    return f"tidegate.{name}"


def _path(name: str, digest: str) -> str:
    return f"{folder}/{name.removesuffix('.json')}/{digest}.json"
