"""Which run is that of a batch: whoever begins it claims one, and the first claim counts."""

from collections.abc import Callable

from mlflow import MlflowClient

from tidegate.tracking import numbered

batch_tag = "tidegate.batch"
purpose = "Which run is that of which batch: of several versions that bear a batch's id the first one counts."
Runs = Callable[[], list[str]]  # the ids of the runs that a claim may be for


def claim(client: MlflowClient, name: str, batch_id: str, run_id: str, there: Runs) -> str:
    """Claim that this is the batch's run; returns the run that was claimed first."""
    numbered.append(client, claims_of(name), f"runs:/{run_id}/batch", run_id, {batch_tag: batch_id}, purpose)
    return first(client, name, batch_id, there, run_id) or run_id


def first(client: MlflowClient, name: str, batch_id: str, there: Runs, own: str | None = None) -> str | None:
    """The run that was claimed first of those that are there (one may have been deleted since); None without any.

    `own` is there for certain.
    """
    claimed = [str(found.run_id) for found in numbered.listed(client, claims_of(name), {batch_tag: batch_id})]
    if claimed and claimed[0] == own:
        return own
    known = set(there() if claimed else ())  # asked last: what was claimed until then is among them
    return next((run_id for run_id in claimed if run_id in known), None)


def claims_of(name: str) -> str:
    """The registered model whose versions are the claims to batches of the problem `name`."""
    return f"{name}.batches"
