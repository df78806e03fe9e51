"""Registered models as lists that are only added to: MLflow numbers their versions in the order it makes them.

A number is given once, and only after all smaller ones are there to be seen: what processes on many machines cannot
agree on by clocks they agree on by these numbers.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from components.errors import TrackingError
from components.tracking.store import quoted

page = 10_000
attempts = 20
# MLflow tries a version number three times and a tag or an alias once: too few for a crowd.
collision = "Model Version creation error|IntegrityError|UniqueViolation"


def ensure(client: MlflowClient, name: str, purpose: str | None = None) -> None:
    """Create the registered model `name`, described by its purpose, unless it is there."""
    try:
        client.create_registered_model(name, description=purpose)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def append(
    client: MlflowClient, name: str, source: str, run_id: str | None, tags: Mapping[str, str], purpose: str
) -> int:
    """Add a version to `name`, which is created if need be; returns its number."""
    ensure(client, name, purpose)
    for attempt in range(attempts):
        with colliding(attempt):
            created = client.create_model_version(name, source, run_id, dict(tags), await_creation_for=0)
            return int(created.version)
    raise TrackingError(name, "a new entry", f"{attempts} failed attempts", "run the step again")


def listed(client: MlflowClient, name: str, tags: Mapping[str, str] | None = None) -> list[ModelVersion]:
    """The versions of `name` that bear these tags, in the order of their numbers; none when there is no such name."""
    terms = [f"name = {quoted(name)}", *(f"tags.`{key}` = {quoted(value)}" for key, value in (tags or {}).items())]
    found: list[ModelVersion] = []
    token: str | None = ""
    while token is not None:
        answer = client.search_model_versions(" AND ".join(terms), page, ["version_number ASC"], token or None)
        found += answer
        token = answer.token or None
    return found


@contextmanager
def colliding(attempt: int) -> Iterator[None]:
    """Two that insert the same row: MlflowException for one of them, who waits a little and looks again."""
    try:
        yield
    except MlflowException as error:
        if not re.search(collision, str(error)):
            raise
        time.sleep(0.05 * (attempt + 1))
