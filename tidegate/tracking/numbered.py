"""Registered models as append-only lists, whose versions MLflow numbers atomically.

A number is assigned once, and only after all smaller ones are visible: processes on several machines agree on an
order by these numbers, which clocks could not give them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidegate.process.errors import TrackingError
from tidegate.process.redaction import hidden
from tidegate.tracking import failures
from tidegate.tracking.store import quoted, signed_in

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import ModelVersion, Reader, RegisteredModel

PAGE = 10_000
ATTEMPTS = 20
PATIENCE = 5  # attempts, within three seconds
# MLflow retries a version number three times and a tag or an alias never: too few under contention.
COLLISION = "Model Version creation error|IntegrityError|UniqueViolation"
# To users other than an admin, MLflow reports a missing object as forbidden.
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED")


def registered(client: Reader, name: str) -> RegisteredModel | None:
    """The registered model `name`; None when there is none that this user may read."""
    models = client.search_registered_models(f"name = {quoted(name)}", max_results=1)
    return models[0] if models else None


def granted() -> Iterator[int]:
    """Attempts with backoff: MLflow grants permission on a new object a moment after it exists."""
    for attempt in range(PATIENCE):
        yield attempt
        time.sleep(0.1 * 2**attempt)


def ensure(client: MlflowClient, name: str, purpose: str | None = None) -> None:
    """Create the registered model `name` with this description unless it exists.

    TrackingError when another user owns it: only the attempt to create it distinguishes that from a missing one.
    """
    try:
        client.create_registered_model(name, description=purpose)
    except failures.of_mlflow() as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        if not any(registered(client, name) for _ in granted()):
            raise _foreign(name) from None


def append(
    client: MlflowClient, name: str, source: str, run_id: str | None, tags: Mapping[str, str], purpose: str
) -> int:
    """Add a version to `name`, which is created if necessary; returns its number."""
    for attempt in range(ATTEMPTS):
        with colliding(attempt):
            return int(version(client, name, source, run_id, tags, purpose=purpose).version)
    raise TrackingError(name, "a new entry", f"{ATTEMPTS} failed attempts", "run the step again")


def version(
    client: MlflowClient,
    name: str,
    source: str,
    run_id: str | None,
    tags: Mapping[str, str],
    model_id: str | None = None,
    purpose: str | None = None,
) -> ModelVersion:
    """Create a version of `name`, and `name` itself if necessary; TrackingError when another user owns it.

    No tag contains a secret of the environment.
    """
    notes = {key: hidden(value) for key, value in tags.items()}

    def create() -> ModelVersion:
        return client.create_model_version(name, source, run_id, notes, await_creation_for=0, model_id=model_id)

    try:
        return create()
    except failures.of_mlflow() as error:
        if error.error_code not in ABSENT:
            raise
    ensure(client, name, purpose)
    for _ in granted():
        try:
            return create()
        except failures.of_mlflow() as error:
            if error.error_code != "PERMISSION_DENIED":
                raise
    raise _foreign(name)


def listed(client: Reader, name: str, tags: Mapping[str, str] | None = None) -> list[ModelVersion]:
    """The versions of `name` with these tags, by number; none when there is no such registered model."""
    terms = [f"name = {quoted(name)}", *(f"tags.`{key}` = {quoted(value)}" for key, value in (tags or {}).items())]
    versions: list[ModelVersion] = []
    token: str | None = ""
    while token is not None:
        answer = client.search_model_versions(" AND ".join(terms), PAGE, ["version_number ASC"], token or None)
        versions += answer
        token = answer.token or None
    return versions


@contextmanager
def colliding(attempt: int) -> Iterator[None]:
    """Swallow the error of a concurrent insert of the same row, after a short wait; the caller tries again."""
    try:
        yield
    except failures.of_mlflow() as error:
        if not re.search(COLLISION, str(error)):
            raise
        time.sleep(0.05 * (attempt + 1))


def _foreign(name: str) -> TrackingError:
    cure = "let its owner or an admin grant MANAGE on it, or choose another `name` in contract.yaml"
    expected = f"a registered model that {signed_in()} may read and add to"
    return TrackingError(f"registered model {name}", expected, "one of another user", cure)
