"""What a stand-in for Kubeflow Pipelines remembers, in the models of kfp-server-api."""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import kfp_server_api as api

wire = api.ApiClient()
Query = Mapping[str, str]


class RefusalError(Exception):
    """An error as the API tells it: an HTTP status and a google.rpc.Status."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, api.GoogleRpcStatus(code=code, message=message, details=[])


class Kubeflow:
    """Pipelines, versions, experiments, runs and recurring runs by their ids."""

    def __init__(self) -> None:
        self.multi_user = False
        self.pipelines: dict[str, Any] = {}
        self.versions: dict[str, Any] = {}
        self.experiments: dict[str, Any] = {}
        self.runs: dict[str, Any] = {}
        self.recurring: dict[str, Any] = {}
        self.logs: dict[str, str] = {}
        self.late: list[str] = []  # lists that miss, once, what somebody else is about to create
        # How a run goes on: told to change it each time that it is read.
        self.progress: Callable[[Any], None] = lambda run: None

    def healthz(self, query: Query, body: bytes) -> Any:
        return api.V2beta1GetHealthzResponse(multi_user=self.multi_user, pipeline_store="database")

    def list_pipelines(self, query: Query, body: bytes) -> Any:
        found, token = page(self._seen("pipelines", self.pipelines), query)
        return api.V2beta1ListPipelinesResponse(pipelines=found, next_page_token=token)

    def create_pipeline(self, query: Query, body: bytes) -> Any:
        made = read(body, "V2beta1Pipeline")
        conflict(self.pipelines, made.display_name)
        return remember(self.pipelines, "pipeline_id", made)

    def list_versions(self, query: Query, body: bytes, pipeline_id: str) -> Any:
        own = {name: item for name, item in self.versions.items() if item.pipeline_id == pipeline_id}
        found, token = page(self._seen("versions", own), query)
        return api.V2beta1ListPipelineVersionsResponse(pipeline_versions=found, next_page_token=token)

    def _seen(self, name: str, things: dict[str, Any]) -> dict[str, Any]:
        if name not in self.late:
            return things
        self.late.remove(name)
        return {}

    def upload_version(self, query: Query, body: bytes) -> Any:
        there(self.pipelines, query["pipelineid"])
        conflict(self.versions, query["name"])
        text = body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0].decode()
        made = api.V2beta1PipelineVersion(pipeline_id=query["pipelineid"], display_name=query["name"])
        made.pipeline_spec = {"text": text}
        return remember(self.versions, "pipeline_version_id", made)

    def list_experiments(self, query: Query, body: bytes) -> Any:
        found, token = page(self.experiments, query)
        return api.V2beta1ListExperimentsResponse(experiments=found, next_page_token=token)

    def create_experiment(self, query: Query, body: bytes) -> Any:
        return remember(self.experiments, "experiment_id", read(body, "V2beta1Experiment"))

    def list_runs(self, query: Query, body: bytes) -> Any:
        found, token = page(self.runs, query)
        return api.V2beta1ListRunsResponse(runs=found, next_page_token=token)

    def create_run(self, query: Query, body: bytes) -> Any:
        made = read(body, "V2beta1Run")
        there(self.experiments, made.experiment_id)
        there(self.versions, made.pipeline_version_reference.pipeline_version_id)
        made.state = "PENDING"
        return remember(self.runs, "run_id", made)

    def get_run(self, query: Query, body: bytes, run_id: str) -> Any:
        run = there(self.runs, run_id)
        self.progress(run)
        return run

    def list_recurring(self, query: Query, body: bytes) -> Any:
        found, token = page(self.recurring, query)
        return api.V2beta1ListRecurringRunsResponse(recurring_runs=found, next_page_token=token)

    def create_recurring(self, query: Query, body: bytes) -> Any:
        made = read(body, "V2beta1RecurringRun")
        made.status = "ENABLED" if made.mode == "ENABLE" else "DISABLED"
        return remember(self.recurring, "recurring_run_id", made)

    def switch_recurring(self, query: Query, body: bytes, name: str, action: str) -> Any:
        there(self.recurring, name).status = "ENABLED" if action == "enable" else "DISABLED"
        return {}

    def delete_recurring(self, query: Query, body: bytes, name: str) -> Any:
        there(self.recurring, name)
        del self.recurring[name]
        return {}


ROUTES: Mapping[str, Callable[..., Any]] = {
    r"GET /healthz": Kubeflow.healthz,
    r"GET /pipelines": Kubeflow.list_pipelines,
    r"POST /pipelines": Kubeflow.create_pipeline,
    r"GET /pipelines/([^/]+)/versions": Kubeflow.list_versions,
    r"POST /pipelines/upload_version": Kubeflow.upload_version,
    r"GET /experiments": Kubeflow.list_experiments,
    r"POST /experiments": Kubeflow.create_experiment,
    r"GET /runs": Kubeflow.list_runs,
    r"POST /runs": Kubeflow.create_run,
    r"GET /runs/([^/:]+)": Kubeflow.get_run,
    r"GET /recurringruns": Kubeflow.list_recurring,
    r"POST /recurringruns": Kubeflow.create_recurring,
    r"POST /recurringruns/([^/:]+):(enable|disable)": Kubeflow.switch_recurring,
    r"DELETE /recurringruns/([^/:]+)": Kubeflow.delete_recurring,
}


def remember(things: dict[str, Any], key: str, made: Any) -> Any:
    """Give something that was created an id and a moment."""
    name = str(uuid.uuid4())
    setattr(made, key, name)
    made.created_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=len(things))
    things[name] = made
    return made


def read(body: bytes, model: str) -> Any:
    """A model from the JSON that a client sent."""
    return wire.deserialize(SimpleNamespace(data=body.decode()), model)


def there(things: Mapping[str, Any], name: str) -> Any:
    if name not in things:
        raise RefusalError(404, 5, f"ResourceNotFoundError: {name} not found.")
    return things[name]


def conflict(things: Mapping[str, Any], name: str) -> None:
    if any(item.display_name == name for item in things.values()):
        raise RefusalError(409, 6, f"AlreadyExistError: {name} already exists")


def page(things: Mapping[str, Any], query: Query) -> tuple[list[Any], str]:
    """The items of a page as filter, order and experiment leave them, and the token of the next."""
    found = list(things.values())
    for predicate in json.loads(query.get("filter") or "{}").get("predicates", []):
        found = [item for item in found if getattr(item, predicate["key"]) == predicate["stringValue"]]
    if wanted := query.get("experiment_id"):
        found = [item for item in found if item.experiment_id == wanted]
    if query.get("sort_by", "").endswith(" desc"):
        found.reverse()
    begin, size = int(query.get("page_token") or 0), int(query.get("page_size") or 10)
    return found[begin : begin + size], str(begin + size) if len(found) > begin + size else ""
