"""Tries what a first run does on the tracking server with temporary objects, which are deleted again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tidegate.process.errors import TrackingError
from tidegate.tracking import artifacts, cache, journal, numbered
from tidegate.tracking.batch_runs import ensure_experiment
from tidegate.tracking.claims import claims_of
from tidegate.tracking.store import answering, signed_in

if TYPE_CHECKING:
    from mlflow import MlflowClient

OWN = "tidegate-doctor"
PROBE, CONTENT = "probe.txt", b"of `tidegate doctor`"


@answering()
def rehearse(client: MlflowClient, name: str) -> str:
    """Create, read and delete a run with a file, and a registered model; then check that `name` is free or readable.

    Returns a sentence; TrackingError says what this user may not do.
    """
    _run(client)
    _model(client)
    for model in (name, claims_of(name), journal.journal_of(name)):
        _check_name(client, model)
    return f"{signed_in()} may create, read and delete"


def _run(client: MlflowClient) -> None:
    experiment = ensure_experiment(client, f"{OWN} of {signed_in()}")
    run_id = str(client.create_run(experiment).info.run_id)
    try:
        place = cache.run(client, run_id).info.artifact_uri
        artifacts.write(client, place, {PROBE: CONTENT})
        if (content := artifacts.read(client, place, PROBE)) != CONTENT:
            what = "nothing" if content is None else "other bytes"
            raise TrackingError("artifacts of the tracking server", "the file just written", what, "see its log")
    finally:
        client.delete_run(run_id)


def _model(client: MlflowClient) -> None:
    name = f"{OWN}-{uuid4().hex[:12]}"
    client.create_registered_model(name)
    try:
        if numbered.registered(client, name) is None:
            raise TrackingError(f"registered model {name}", "it, just created", "none", "see the server's log")
    finally:
        client.delete_registered_model(name)


def _check_name(client: MlflowClient, name: str) -> None:
    """TrackingError when another user owns the name, which only the attempt to create it shows."""
    if numbered.registered(client, name) is None:
        numbered.ensure(client, name)
        if not numbered.listed(client, name):  # unless a run has begun meanwhile
            client.delete_registered_model(name)
