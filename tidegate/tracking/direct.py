"""Writes that MLflow's client makes in two requests, reading first what is written over: here in one each.

They go to the stores behind the client, whose methods every store of MLflow has.
"""

import time
from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import LoggedModelTag, RunStatus
from mlflow.entities.model_registry import RegisteredModelTag


def end_run(client: MlflowClient, run_id: str, status: str) -> None:
    """End a run now, as FINISHED, FAILED or KILLED."""
    now = int(time.time() * 1000)
    client._tracking_client.store.update_run_info(run_id, RunStatus.from_string(status), now, None)


def tag_model(client: MlflowClient, model_id: str, tags: Mapping[str, str]) -> None:
    """Tag a logged model."""
    rows = [LoggedModelTag(key, value) for key, value in tags.items()]
    client._tracking_client.store.set_logged_model_tags(model_id, rows)


def set_alias(client: MlflowClient, name: str, alias: str, version: str) -> None:
    """Let an alias of a registered model name a version."""
    client._get_registry_client().store.set_registered_model_alias(name, alias, version)  # type: ignore[no-untyped-call]


def tag_registered(client: MlflowClient, name: str, key: str, value: str) -> None:
    """Tag a registered model."""
    client._get_registry_client().store.set_registered_model_tag(name, RegisteredModelTag(key, value))  # type: ignore[no-untyped-call]
