"""The wheel of the Tidegate that made a version, with the lock of its libraries, kept in MLflow."""

from collections.abc import Mapping
from typing import Any

from mlflow import MlflowClient

from tidegate.process import limits
from tidegate.process.errors import TrackingError
from tidegate.process.wheel import Wheel
from tidegate.tracking import artifacts, cache
from tidegate.tracking.store import answering

TAG = "tidegate.wheel"  # of a registered version: the digest, the run that keeps the file, the file's name
FOLDER = "wheels"


@answering()
def keep(client: MlflowClient, run_id: str, wheel: Wheel, before: Mapping[str, str]) -> dict[str, str]:
    """The tag of a version that this wheel made; uploads the wheel to the run unless `before` already names it.

    `before` are the tags of the champion: one wheel makes many versions and is uploaded once.
    """
    known = before.get(TAG, "")
    if known.startswith(f"{wheel.digest} "):
        return {TAG: known}
    artifacts.write(client, cache.run(client, run_id).info.artifact_uri, {wheel.name: wheel.content}, _folder(wheel))
    return {TAG: f"{wheel.digest} {run_id} {wheel.name}"}


@answering()
def fetch(client: MlflowClient, tags: Mapping[str, Any], version: str) -> Wheel:
    """The wheel that made a version with these tags; TrackingError when it is missing or altered."""
    thing = f"the Tidegate that made version {version}"
    digest, _, rest = str(tags.get(TAG, "")).partition(" ")
    run_id, _, name = rest.partition(" ")
    if not name:
        raise TrackingError(thing, f"the tag {TAG}", "none", "name an interpreter: --python")
    place = cache.run(client, run_id).info.artifact_uri
    content = artifacts.read(client, place, f"{FOLDER}/{digest[:16]}/{name}", limits.MOST_TRANSFER_SECONDS)
    wheel = Wheel(name, content or b"")
    if wheel.digest != digest:
        found = "other bytes" if content else "no such file"
        raise TrackingError(thing, f"{name} in run {run_id}", found, "name an interpreter: --python")
    return wheel


def _folder(wheel: Wheel) -> str:
    return f"{FOLDER}/{wheel.digest[:16]}"
