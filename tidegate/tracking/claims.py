"""One MLflow run per batch: processes that begin a batch append claims, and the first claim counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tidegate.tracking import numbered
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

PURPOSE = "Claims: which run belongs to which batch. Of several versions with the same batch id the first one counts."
Runs = Callable[[], list[str]]  # returns the ids of the batch's runs that exist


def claim(client: MlflowClient, name: str, batch_id: str, run_id: str, there: Runs) -> str:
    """Append a claim that this is the batch's run; returns the run of the first claim."""
    numbered.append(client, claims_of(name), f"runs:/{run_id}/batch", run_id, {Tag.BATCH: batch_id}, PURPOSE)
    return first(client, name, batch_id, there, run_id) or run_id


def first(client: MlflowClient, name: str, batch_id: str, there: Runs, own: str | None = None) -> str | None:
    """The run of the first claim whose run still exists; None without one.

    `own` is known to exist.
    """
    claimed = [str(version.run_id) for version in numbered.listed(client, claims_of(name), {Tag.BATCH: batch_id})]
    if claimed and claimed[0] == own:
        return own
    existing = set(there() if claimed else ())  # read after the claims, so that every claimed run can be among them
    return next((run_id for run_id in claimed if run_id in existing), None)


def claims_of(name: str) -> str:
    """The registered model whose versions are the claims to batches of the problem `name`."""
    return f"{name}.batches"
