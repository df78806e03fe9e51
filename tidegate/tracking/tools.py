"""The wheel of the Tidegate that made a version, with the lock of its libraries, kept in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tidegate.process import limits
from tidegate.process.errors import TrackingError
from tidegate.process.wheel import Wheel
from tidegate.tracking import artifacts, cache
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Run

FOLDER = "wheels"


@answering()
def keep(client: MlflowClient, run_id: str, wheel: Wheel, before: Mapping[str, str]) -> dict[str, str]:
    """The tag of a version that this wheel made; uploads the wheel to the run unless `before` already names it.

    `before` are the tags of the champion: one wheel makes many versions and is uploaded once.
    """
    earlier = before.get(Tag.WHEEL, "")
    if earlier.startswith(f"{wheel.digest} "):
        return {Tag.WHEEL: earlier}
    artifacts.write(client, cache.run(client, run_id).info.artifact_uri, {wheel.name: wheel.content}, _folder(wheel))
    return {Tag.WHEEL: f"{wheel.digest} {run_id} {wheel.name}"}


@answering()
def fetch(client: MlflowClient, tags: Mapping[str, Any], version: str) -> Wheel:
    """The wheel that made a version with these tags; TrackingError when it is missing or altered."""
    thing = f"the Tidegate that made version {version}"
    digest, _, rest = str(tags.get(Tag.WHEEL, "")).partition(" ")
    run_id, _, name = rest.partition(" ")
    if not name:
        raise TrackingError(thing, f"the tag {Tag.WHEEL}", "none", "name an interpreter: --python")
    place = _run(client, run_id).info.artifact_uri
    content = artifacts.read(client, place, f"{FOLDER}/{digest[:16]}/{name}", limits.MOST_TRANSFER_SECONDS)
    wheel = Wheel(name, content or b"")
    if wheel.digest != digest:
        found = "other bytes" if content else "no such file"
        raise TrackingError(thing, f"{name} in run {run_id}", found, "name an interpreter: --python")
    return wheel


def _run(client: MlflowClient, run_id: str) -> Run:
    """The run that has this id, or had it before it was restored from a copy: the tag of a version is signed."""
    if run_id.isalnum():
        experiments = [str(experiment.experiment_id) for experiment in cache.experiments(client).values()]
        if restored := client.search_runs(experiments, f"tags.`{Tag.RESTORED}{run_id}` != ''"):
            return restored[0]
    return cache.run(client, run_id)


def _folder(wheel: Wheel) -> str:
    return f"{FOLDER}/{wheel.digest[:16]}"
