"""Writes in one request each, where MLflow's client first reads what it overwrites.

They call the abstract store behind the client, whose methods all stores of MLflow implement.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


def end_run(client: MlflowClient, run_id: str, status: str) -> None:
    """End a run now, as FINISHED, FAILED or KILLED."""
    from mlflow.entities import RunStatus

    now = int(time.time() * 1000)
    client._tracking_client.store.update_run_info(run_id, RunStatus.from_string(status), now, None)


def tag_model(client: MlflowClient, model_id: str, tags: Mapping[str, str]) -> None:
    """Tag a logged model."""
    from mlflow.entities import LoggedModelTag

    rows = [LoggedModelTag(key, value) for key, value in tags.items()]
    client._tracking_client.store.set_logged_model_tags(model_id, rows)


def set_alias(client: MlflowClient, name: str, alias: str, version: str) -> None:
    """Set an alias of a registered model to a version."""
    client._get_registry_client().store.set_registered_model_alias(name, alias, version)  # type: ignore[no-untyped-call]


def tag_registered(client: MlflowClient, name: str, key: str, value: str) -> None:
    """Tag a registered model."""
    from mlflow.entities.model_registry import RegisteredModelTag

    client._get_registry_client().store.set_registered_model_tag(name, RegisteredModelTag(key, value))  # type: ignore[no-untyped-call]
