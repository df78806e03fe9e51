"""Puts a copy back into an MLflow that has nothing of its problem; begun again after a kill, it goes on.

MLflow gives runs and models new ids. Each has a tag with the id that it had, by which a restore that goes on finds it,
and by which the wheel of a version is found (`tidegate.tracking.tools`): nothing that is signed changes.
The order is that of the references. The tag that says that a restore has begun is set first and removed last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.process.errors import TrackingError
from tidegate.tracking import batch_runs, direct, numbered, windows
from tidegate.tracking.backups import restored_runs, restored_versions
from tidegate.tracking.backups.container import Copy
from tidegate.tracking.backups.inventory import registered_names
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

NUMBERED = " numbered"  # after the digest: every version has its number


@answering()
def restore(client: MlflowClient, copy: Copy) -> None:
    """All of the copy; TrackingError where MLflow has something of its problem that is none of the same restore."""
    name, registered = copy.inventory.name, copy.inventory.registered
    if not _begun(client, name, copy.digest).endswith(NUMBERED):
        experiment = batch_runs.ensure_experiment(client, name)
        runs = restored_runs.runs(client, experiment, copy)
        places = restored_runs.models(client, experiment, copy, runs)
        for each in registered:
            restored_versions.registered(client, each, name, runs, places)
        direct.tag_registered(client, name, Tag.RESTORING, copy.digest + NUMBERED)
    for each in registered:
        restored_versions.drop_gone(client, each)
    restored_versions.check(client, registered)
    client.delete_registered_model_tag(name, Tag.RESTORING)


def _begun(client: MlflowClient, name: str, digest: str) -> str:
    """Say that a restore has begun, and return that; TrackingError unless nothing is there, or what it has begun."""
    model = numbered.registered(client, name)
    begun = model.tags.get(Tag.RESTORING) if model else None
    if begun in (digest, digest + NUMBERED):
        return begun
    cure = "restore into another MLflow, or delete there what it has of the problem"
    if begun:
        raise TrackingError(name, "nothing, or what this copy began", "a restore of another copy, not ended", cure)
    for each in registered_names(name):
        if there := len(numbered.listed(client, each)):
            raise TrackingError(name, "an MLflow without this problem", f"{each} with {there} versions", cure)
    if there := len(batch_runs.runs_about(client, name)) + len(windows.runs(client, name)):
        raise TrackingError(name, "an MLflow without this problem", f"{there} runs of it", cure)
    numbered.ensure(client, name)
    direct.tag_registered(client, name, Tag.RESTORING, digest)
    return digest
