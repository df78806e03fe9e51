"""Registered versions: each holds its model and all that is needed to use, evaluate and trace it, with digests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.documents.formats import read_yaml, replacing
from tidegate.process import limits
from tidegate.process.errors import ModelError, TrackingError
from tidegate.process.keys import Trusted
from tidegate.tracking import artifacts, failures, signatures
from tidegate.tracking.bundle import BUNDLE, unpacked
from tidegate.tracking.models import DESCRIBED, Logged, digest_of
from tidegate.tracking.numbered import ABSENT, listed
from tidegate.tracking.numbered import version as created
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import ModelVersion, Reader

FORMAT = "1"
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@answering()
def register(
    client: MlflowClient, name: str, run_id: str, logged: Logged, batch_id: str, tags: Mapping[str, str]
) -> ModelVersion:
    """The version of `name` with this model of this batch, created with all its tags if there is none (idempotent)."""
    own = {Tag.BATCH: batch_id, Tag.DIGEST: logged.digest}
    if not listed(client, name, own):
        created(client, name, logged.place, run_id, labels(logged, batch_id, tags), logged.model_id)
    # Two concurrent runs of one step create two: all keep the first and delete the others.
    first, *others = listed(client, name, own)
    for other in others:
        _drop(client, name, str(other.version))
    return first


def labels(logged: Logged, batch_id: str, tags: Mapping[str, str]) -> dict[str, str]:
    """All tags of a version."""
    own = {Tag.BATCH: batch_id, Tag.DIGEST: logged.digest, Tag.FILES: json.dumps(logged.files), Tag.FORMAT: FORMAT}
    return {**tags, **own}


@answering()
def fetch(
    client: Reader, name: str, version: str, folder: Path, trusted: Trusted, registered: ModelVersion | None = None
) -> Path:
    """Download the files of a version into `folder`, which is created only when signature and digests are right.

    `registered` is the version if it was just read. ModelError for a signature by no trusted key (if there are any),
    for a wrong digest, for another list of files than the registered one, and for a flavour, whose loader could run
    code.
    """
    registered = registered or get(client, name, version)
    _check_format(registered.tags, name, version)
    signatures.check(name, version, registered.tags, trusted)
    files = _files_of(registered.tags, name, version)
    with replacing(folder) as target:
        target.mkdir()
        for file, content in _downloaded(client, registered, files, name).items():
            if sha256(content).hexdigest() != files[file]:
                raise _unlike(name, version, f"{file} as registered", "other bytes")
            (target / file).write_bytes(content)
        if digest_of({file: digest for file, digest in files.items() if file != DESCRIBED}) != registered.tags.get(
            Tag.DIGEST
        ):
            raise _unlike(name, version, "the files that were registered", "another list of files")
        _check_flavours(target / DESCRIBED, name, version)
    return folder


def _check_format(tags: Mapping[str, str], name: str, version: str) -> None:
    """TrackingError for a version of a format that this Tidegate cannot read."""
    number = tags.get(Tag.FORMAT)
    if number != FORMAT:
        there = f"format {number}" if number else "none: it was made before Tidegate 0.1"
        cure = "upgrade Tidegate" if number else "begin anew with another store, or another name in contract.yaml"
        raise TrackingError(f"{name} version {version}", f"a version of format {FORMAT}", there, cure)


@answering()
def get(client: Reader, name: str, version: str) -> ModelVersion:
    """A version with its tags; TrackingError when there is none, or the user may not read it."""
    try:
        return client.get_model_version(name, version)
    except failures.of_mlflow() as error:
        if error.error_code not in ABSENT:
            raise
        raise TrackingError(
            f"{name} version {version}", "a registered version", "none", "choose one that `mlflow ui` shows"
        ) from None


def tags_of(client: Reader, name: str, version: str) -> dict[str, str]:
    """The tags of a version; TrackingError when there is no such version."""
    return dict(get(client, name, version).tags)


@answering()
def tag(client: MlflowClient, version: ModelVersion, tags: Mapping[str, str]) -> None:
    """Tag a version; unchanged tags are not written again."""
    for key, value in tags.items():
        if version.tags.get(key) != value:
            client.set_model_version_tag(version.name, version.version, key, value)


def _drop(client: MlflowClient, name: str, version: str) -> None:
    try:
        client.delete_model_version(name, version)
    except failures.of_mlflow() as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _check_flavours(path: Path, name: str, version: str) -> None:
    description = read_yaml(path) if path.exists() else {}
    flavours = description.get("flavors") if isinstance(description, dict) else {"none": ""}
    if flavours:
        raise _unlike(name, version, f"no flavour in {DESCRIBED}", ascii(", ".join(map(str, flavours))))


def _files_of(tags: Mapping[str, str], name: str, version: str) -> dict[str, str]:
    text = tags.get(Tag.FILES)
    if text is None:
        raise _unlike(name, version, f"the tag {Tag.FILES}", "none")
    files = dict(json.loads(text))
    for file in files:
        if not PLAIN_NAME.fullmatch(file):
            raise _unlike(name, version, "plain file names", repr(file))
    return files


def _downloaded(client: Reader, registered: ModelVersion, files: Mapping[str, str], name: str) -> dict[str, bytes]:
    """The contents of the files, from the archive in the store; ModelError names the first that is missing."""
    version, place = str(registered.version), str(registered.source)
    description = artifacts.read(client, place, DESCRIBED)
    bundle = artifacts.read(client, place, BUNDLE, limits.MOST_TRANSFER_SECONDS)
    if bundle is None:
        raise _unlike(name, version, BUNDLE, "no such file")
    try:
        contents = unpacked(bundle, set(files) - {DESCRIBED})
    except ValueError as error:
        raise _unlike(name, version, f"{BUNDLE} as registered", str(error)) from None
    if description is not None and DESCRIBED in files:
        contents[DESCRIBED] = description
    if missing := sorted(files.keys() - contents.keys()):
        raise _unlike(name, version, missing[0], "no such file")
    return contents


def _unlike(name: str, version: str, expected: str, found: str) -> ModelError:
    return ModelError(f"{name} version {version}", expected, found, "restore it or promote another version")
