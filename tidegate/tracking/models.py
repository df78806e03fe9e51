"""Logged models: files with digests and a signature, but no flavour, so that MLflow cannot unpickle them."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tidegate.process.errors import TrackingError
from tidegate.tracking import artifacts, cache, direct
from tidegate.tracking.artifacts import Content, bytes_of
from tidegate.tracking.batch_runs import last_read
from tidegate.tracking.bundle import BUNDLE, packed
from tidegate.tracking.store import answering, quoted
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

# MLflow's own file, which differs between runs and is not part of the digest.
DESCRIBED = "MLmodel"


class Logged(NamedTuple):
    """A logged model: its id, its artifact URI, the digest of its contents, the SHA-256 of every file."""

    model_id: str
    place: str
    digest: str
    files: dict[str, str]


@answering()
def log_model(
    client: MlflowClient,
    run_id: str,
    name: str,
    contents: Mapping[str, Content],
    inputs: Any,
    outputs: Any,
    params: Mapping[str, object] | None = None,
) -> Logged:
    """Log the model's files with the run, once per content; `inputs` and `outputs` are example rows for the signature.

    The store holds one archive and an MLmodel file with the signature and without a flavour, so that no loader of
    MLflow opens the model.
    """
    from mlflow.entities import LoggedModelOutput

    payload = {file: bytes_of(content) for file, content in contents.items()}
    digest = digest_of(digests(payload))
    experiment = str(cache.run(client, run_id).info.experiment_id)
    if earlier := _logged_before(client, experiment, run_id, digest):
        return earlier
    texts = {key: str(value) for key, value in (params or {}).items()}
    model = client.create_logged_model(experiment, name, run_id, {Tag.DIGEST: digest}, texts)
    description = _described(model, inputs, outputs)
    files = digests({**payload, DESCRIBED: description})
    logged = Logged(str(model.model_id), str(model.artifact_location), digest, files)
    artifacts.write(client, logged.place, {DESCRIBED: description, BUNDLE: packed(payload)})
    direct.tag_model(client, logged.model_id, {Tag.FILES: json.dumps(logged.files)})
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    return logged


@answering()
def find_logged(client: MlflowClient, run_id: str, contents: Mapping[str, Content]) -> Logged:
    """The logged model with these contents from a run of the same batch; TrackingError when there is none."""
    digest = digest_of(digests({file: bytes_of(content) for file, content in contents.items()}))
    for run in last_read(client, run_id):
        if logged := _logged_before(client, str(run.info.experiment_id), run.info.run_id, digest):
            return logged
    raise TrackingError(f"run {run_id}", "the model that train logged", "none", "run the stage train again")


def digests(payload: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of every file, by name."""
    return {file: sha256(content).hexdigest() for file, content in sorted(payload.items())}


def digest_of(files: Mapping[str, str]) -> str:
    """The digest of a folder, from the digests of its files."""
    return sha256(json.dumps(dict(sorted(files.items()))).encode()).hexdigest()


def _logged_before(client: MlflowClient, experiment: str, run_id: str, digest: str) -> Logged | None:
    from mlflow.entities import LoggedModelStatus

    query = f"source_run_id = {quoted(run_id)} AND tags.`{Tag.DIGEST}` = {quoted(digest)}"
    for model in client.search_logged_models([experiment], query):
        # Not in the query: MLflow's search compares the name of a status with its number and finds nothing.
        if model.status == LoggedModelStatus.READY:
            files = json.loads(model.tags[Tag.FILES])
            if digest_of({file: content for file, content in files.items() if file != DESCRIBED}) != digest:
                continue  # the tags say two things: who may write them has changed one
            return Logged(str(model.model_id), str(model.artifact_location), digest, files)
    return None


def _described(model: LoggedModel, inputs: Any, outputs: Any) -> bytes:
    from mlflow.models import Model, infer_signature

    with warnings.catch_warnings():
        # Ignore the warning that integers cannot hold nulls: the contract says which columns are nullable.
        warnings.simplefilter("ignore")
        signature = infer_signature(inputs, outputs)
    described = Model(
        artifact_path=model.artifact_location, run_id=model.source_run_id, signature=signature, model_id=model.model_id
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "MLmodel")
        described.save(path)
        return path.read_bytes()
