"""The pipeline in Kubeflow: one version per commit and compiled text, uploaded once."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import kfp_server_api as api
from kfp_server_api.exceptions import ApiException

from tidegate.commands.cluster.service import Service
from tidegate.documents.formats import write_text
from tidegate.process.errors import InputError


class Version(NamedTuple):
    """A version of a pipeline: its ids and its name."""

    pipeline: str
    id: str
    name: str


def named(commit: str, compiled: str) -> str:
    """The commit of the problem and the digest of the compiled text, which depends on cluster.yaml and on Tidegate."""
    return f"{commit}-{sha256(compiled.encode()).hexdigest()[:8]}"


def ensure(service: Service, pipeline: str, name: str, compiled: str) -> Version:
    """The version `name` of `pipeline`, uploaded if there is none."""
    pipeline_id = _ensure_pipeline(service, pipeline)
    version_id = _version(service, pipeline_id, name)
    if version_id is None:
        _unless_there(service, lambda: _upload(service, pipeline_id, name, compiled))
        version_id = _version(service, pipeline_id, name)
    return Version(pipeline_id, _there(service, f"version {name}", version_id), name)


def _ensure_pipeline(service: Service, name: str) -> str:
    pipeline_id = _pipeline(service, name)
    if pipeline_id is None:
        # kfp's own upload would name the first version after the pipeline.
        body = api.V2beta1Pipeline(display_name=name, namespace=service.namespace)
        create = service.client.pipelines.pipeline_service_create_pipeline
        _unless_there(service, lambda: create(pipeline=body))
        pipeline_id = _pipeline(service, name)
    return _there(service, f"pipeline {name}", pipeline_id)


def _pipeline(service: Service, name: str) -> str | None:
    page = service.ask(
        service.client.list_pipelines, page_size=2, filter=called(name), namespace=service.namespace or ""
    )
    return page.pipelines[0].pipeline_id if page.pipelines else None


def _version(service: Service, pipeline_id: str, name: str) -> str | None:
    page = service.ask(service.client.list_pipeline_versions, pipeline_id, page_size=2, filter=called(name))
    return page.pipeline_versions[0].pipeline_version_id if page.pipeline_versions else None


def _upload(service: Service, pipeline_id: str, name: str, compiled: str) -> Any:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        write_text(path, compiled)
        return service.client.upload_pipeline_version(str(path), name, pipeline_id=pipeline_id)


def _unless_there(service: Service, create: Callable[[], Any]) -> None:
    """Create an object that another process may create at the same time."""

    def attempt() -> Any:
        try:
            return create()
        except ApiException as error:
            if error.status != 409:
                raise
            return None

    service.ask(attempt)


def _there(service: Service, thing: str, identifier: str | None) -> str:
    if identifier is None:
        raise InputError(service.connection.where, thing, "none after it was made", "try again, or see its log")
    return identifier


def called(name: str) -> str:
    """Kubeflow's filter by name."""
    return json.dumps({"predicates": [{"operation": 1, "key": "display_name", "stringValue": name}]})
