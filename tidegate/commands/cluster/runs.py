"""Runs in Kubeflow: started, listed, read."""

from collections.abc import Mapping
from typing import Any

import kfp_server_api as api

from tidegate.commands.cluster.pipeline_versions import Version, called
from tidegate.commands.cluster.service import Service
from tidegate.process.errors import InputError

NEWEST_FIRST = "created_at desc"


def experiment(service: Service, name: str) -> str | None:
    """The id of an experiment; None when there is none of this name."""
    services = service.client.experiments
    experiments = service.ask(
        services.experiment_service_list_experiments,
        page_size=2,
        filter=called(name),
        namespace=service.namespace or "",
    ).experiments
    return str(experiments[0].experiment_id) if experiments else None


def ensure_experiment(service: Service, name: str) -> str:
    """The id of an experiment, created if there is none of this name."""
    if experiment_id := experiment(service, name):
        return experiment_id
    body = api.V2beta1Experiment(display_name=name, namespace=service.namespace)
    created = service.ask(service.client.experiments.experiment_service_create_experiment, experiment=body)
    return str(created.experiment_id)


def start(
    service: Service, experiment_id: str, name: str, version: Version, parameters: Mapping[str, Any], account: str
) -> Any:
    """Start a run; returns it with its id."""
    return service.ask(
        service.client.run_pipeline,
        experiment_id,
        name,
        params=dict(parameters),
        pipeline_id=version.pipeline,
        version_id=version.id,
        service_account=account,
    )


def read(service: Service, run_id: str) -> Any:
    """A run with all its tasks."""
    return service.ask(service.client.get_run, run_id)


def newest(service: Service, experiment_name: str, limit: int) -> list[Any]:
    """At most `limit` runs of an experiment, the newest first; none without such an experiment."""
    experiment_id = experiment(service, experiment_name)
    newest_runs: list[Any] = []
    token = ""
    while experiment_id and len(newest_runs) < limit:
        page = service.ask(
            service.client.list_runs,
            page_token=token,
            page_size=min(limit - len(newest_runs), 100),
            sort_by=NEWEST_FIRST,
            experiment_id=experiment_id,
        )
        newest_runs += page.runs or []
        token = page.next_page_token
        if not token:
            break
    return newest_runs


def parameter(run: Any, name: str) -> Any:
    """A parameter of a run; None when it has none of this name."""
    config = run.runtime_config
    return ((config.parameters if config else None) or {}).get(name)


def check_id(run_id: str) -> str:
    """The id of a run; InputError for a malformed one."""
    if len(run_id) != 36 or run_id.count("-") != 4:
        raise InputError("run", "the id of a run, as `tidegate runs` lists them", run_id, "copy it from there")
    return run_id
