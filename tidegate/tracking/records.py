"""Write-once documents of a batch, such as its decision: the first one written is the one returned ever after."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tidegate.process.errors import TrackingError
from tidegate.tracking import artifacts, cache, failures, run_data
from tidegate.tracking.batch_runs import holder, of_same_batch
from tidegate.tracking.numbered import COLLISION
from tidegate.tracking.store import answering

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Reader, Run

FOLDER = "records"
Document = dict[str, Any]


def question(name: str, parameters: Mapping[str, Any]) -> str:
    """The name under which the answer to a question is recorded: the same question gives the same name."""
    return f"{name}.{sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:8]}"


@answering()
def record(
    client: MlflowClient, run_id: str, name: str, document: Document, tags: Mapping[str, str] | None = None
) -> Document:
    """Record the document under `name` unless the batch has one; returns the one it has.

    A parameter of the batch's holder, which MLflow never changes, has the digest of the document: of racing writers
    exactly one wins, and a writer that dies leaves nothing that counts. The tags go to the run of the one that wins.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    digest = sha256(text.encode()).hexdigest()
    own = holder(client, run_id)
    artifacts.write(client, cache.run(client, own).info.artifact_uri, {_path(name, digest): text})
    if not _won(client, own, _key(name), digest, tags if own == run_id else None):
        winner = recorded(client, run_id, name)
        if winner is None:
            raise TrackingError(f"{name} of run {own}", "the record just written", "nothing", "run the step again")
        return winner
    if own != run_id and tags:
        run_data.values(client, run_id, tags=tags)
    return cache.of(client).records.setdefault(digest, dict(json.loads(text)))


def once(client: MlflowClient, run_id: str, name: str, value: str) -> bool:
    """Whether this caller is the first that notes something under `name` with a run; each has another value."""
    return _won(client, run_id, _key(name), value, None)


def _won(client: MlflowClient, run_id: str, key: str, value: str, tags: Mapping[str, str] | None) -> bool:
    """Whether the run has this parameter now; MLflow refuses another value before it writes a tag.

    Of two that write it in the same moment the database refuses one.
    """
    from mlflow.entities import Param, RunTag

    notes = [RunTag(name, text) for name, text in (tags or {}).items()]
    try:
        client.log_batch(run_id, params=[Param(key, value)], tags=notes)
    except failures.of_mlflow() as error:
        if error.error_code != "INVALID_PARAMETER_VALUE" and not re.search(COLLISION, str(error)):
            raise
        return False
    return True


@answering()
def recorded(client: Reader, run_id: str, name: str, among: Sequence[Run] | None = None) -> Document | None:
    """The document that the batch of this run recorded under `name`, None if it recorded none.

    `among` are the runs of the batch where they were just read.
    """
    for candidate in of_same_batch(client, run_id) if among is None else among:
        if digest := candidate.data.params.get(_key(name)):
            return document(client, candidate, name, digest)
    return None


def document(client: Reader, run: Run, name: str, digest: str) -> Document:
    """The document of this digest that a run holds under `name`; TrackingError when it is gone or another one."""
    documents = cache.of(client).records
    if digest not in documents:
        content = artifacts.read(client, run.info.artifact_uri, _path(name, digest))
        if content is None or sha256(content).hexdigest() != digest:
            found = "no file" if content is None else "another one"
            raise TrackingError(f"{name} of run {run.info.run_id}", "the record as written", found, "restore the file")
        documents[digest] = dict(json.loads(content))
    return documents[digest]


def _key(name: str) -> str:
    return f"tidegate.{name}"


def _path(name: str, digest: str) -> str:
    return f"{FOLDER}/{name.removesuffix('.json')}/{digest}.json"
