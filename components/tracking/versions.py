"""Registered versions: each carries its model with all that is needed to feed, judge and trace it, under digests."""

import json
import re
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from components.errors import ModelError, TrackingError
from components.formats import read_yaml, replacing
from components.tracking.claims import batch_tag
from components.tracking.models import Logged, described, digest_of, digest_tag, files_tag
from components.tracking.numbered import ensure, listed
from components.tracking.store import answering

plain_name = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@answering()
def register(
    client: MlflowClient, name: str, run_id: str, logged: Logged, batch_id: str, tags: Mapping[str, str]
) -> str:
    """The version of `name` that holds this model of this batch, created with all its tags if there is none."""
    own = {batch_tag: batch_id, digest_tag: logged.digest}
    if not listed(client, name, own):
        ensure(client, name)
        labels = {**tags, **own, files_tag: json.dumps(logged.files)}
        client.create_model_version(name, logged.uri, run_id, labels, await_creation_for=0, model_id=logged.model_id)
    # The same step run twice at once makes two: everybody keeps the first, and drops what a killed one left behind.
    first, *others = listed(client, name, own)
    for other in others:
        _drop(client, name, str(other.version))
    return str(first.version)


@answering()
def fetch(client: MlflowClient, name: str, version: str, folder: Path) -> Path:
    """Download every file of a version into `folder`, which appears only when each digest is right.

    ModelError also for a list of files that is not the registered one, and for a flavour: a loader of MLflow would
    run what it names.
    """
    tags = tags_of(client, name, version)
    files = _files_of(tags, name, version)
    with replacing(folder) as target, tempfile.TemporaryDirectory() as scratch:
        target.mkdir()
        for file, digest in files.items():
            content = _downloaded(client, name, version, file, scratch)
            if sha256(content).hexdigest() != digest:
                raise _unlike(name, version, f"{file} as registered", "other bytes")
            (target / file).write_bytes(content)
        if digest_of({file: digest for file, digest in files.items() if file != described}) != tags.get(digest_tag):
            raise _unlike(name, version, "the files that were registered", "another list of files")
        _check_flavours(target / described, name, version)
    return folder


@answering()
def tags_of(client: MlflowClient, name: str, version: str) -> dict[str, str]:
    """The tags of a version; TrackingError when there is no such version."""
    try:
        return dict(client.get_model_version(name, version).tags)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise TrackingError(
            f"{name} version {version}", "a registered version", "none", "choose one that `mlflow ui` shows"
        ) from None


@answering()
def tag(client: MlflowClient, name: str, version: str, tags: Mapping[str, str]) -> None:
    """Tag a version; what is there already is not written again."""
    there = tags_of(client, name, version)
    for key, value in tags.items():
        if there.get(key) != value:
            client.set_model_version_tag(name, version, key, value)


def _drop(client: MlflowClient, name: str, version: str) -> None:
    try:
        client.delete_model_version(name, version)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _check_flavours(path: Path, name: str, version: str) -> None:
    found = read_yaml(path) if path.exists() else {}
    flavours = found.get("flavors") if isinstance(found, dict) else {"none": ""}
    if flavours:
        raise _unlike(name, version, f"no flavour in {described}", ascii(", ".join(map(str, flavours))))


def _files_of(tags: Mapping[str, str], name: str, version: str) -> dict[str, str]:
    text = tags.get(files_tag)
    if text is None:
        raise _unlike(name, version, f"the tag {files_tag}", "none")
    files = dict(json.loads(text))
    for file in files:
        if not plain_name.fullmatch(file):
            raise _unlike(name, version, "plain file names", repr(file))
    return files


def _downloaded(client: MlflowClient, name: str, version: str, file: str, scratch: str) -> bytes:
    uri = f"models:/{name}/{version}/{file}"
    try:
        path = mlflow.artifacts.download_artifacts(
            uri, dst_path=scratch, tracking_uri=client.tracking_uri, registry_uri=client.tracking_uri
        )
    except (MlflowException, OSError) as error:
        if "404" in str(error) or "No such" in str(error):
            raise _unlike(name, version, file, "no such file") from None
        raise
    return Path(path).read_bytes()


def _unlike(name: str, version: str, expected: str, found: str) -> ModelError:
    return ModelError(f"{name} version {version}", expected, found, "restore it or promote another version")
