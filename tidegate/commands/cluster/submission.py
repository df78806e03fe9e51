"""`tidegate submit`: starts a run of the pipeline on the cluster, with the local files of the problem."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tidegate.commands.cluster import arguments, data, pipeline_versions, prerequisites, revision, runs
from tidegate.commands.cluster.connection import Connection
from tidegate.commands.cluster.service import Service, connect
from tidegate.commands.loop import workspace
from tidegate.contract.contract import read_contract
from tidegate.documents.moments import moment
from tidegate.pipelines import cluster, graph, kubeflow
from tidegate.pipelines.training import training
from tidegate.process import limits

UNTIL = "ingest_until"


class Work(NamedTuple):
    """The compiled pipeline with its steps, and a value for each of its parameters."""

    name: str
    compiled: str
    steps: tuple[str, ...]
    platform: Mapping[str, Any]
    parameters: Mapping[str, Any]
    remote: str | None


class Started(NamedTuple):
    """A run that was started."""

    service: Service
    work: Work
    id: str
    version: str

    @property
    def link(self) -> str:
        """Its page."""
        return self.service.connection.link("runs", self.id)


def work(until: str | None, settings: Sequence[str], remote: str | None) -> Work:
    """Compile the pipeline and collect its parameters, without the network."""
    compiled = kubeflow.compile()
    ir, platform = kubeflow.parts(compiled)
    address, name = data.remote(remote, limits.LOOK_SECONDS)
    moment = [] if until is None else [f"ingest.until={until}"]
    parameters = arguments.arguments(ir, [*settings, *moment], address)
    steps = tuple(task.name for task in graph.tasks(ir))
    return Work(read_contract(workspace.CONTRACT).name, compiled, steps, platform, parameters, name or remote)


def submit(connection: Connection, job: Work, unchecked: bool) -> Started:
    """Start a run; InputError with every reason why it would fail."""
    moment("--until", job.parameters[UNTIL], "correct it")
    service = connect(connection)
    if not unchecked:
        check(service, job)
    version = ensure_version(service, job.compiled)
    experiment = runs.ensure_experiment(service, job.name)
    title = f"{job.name} {job.parameters[UNTIL]}"
    run = runs.start(service, experiment, title, version, job.parameters, cluster.load().service_account)
    return Started(service, job, run.run_id, version.name)


def check(service: Service, job: Work) -> None:
    """InputError with every reason why a run would fail."""

    def namespace() -> str:
        account = cluster.load().service_account
        return prerequisites.of_the_namespace(service.connection, service.namespace, job.platform, account)

    needed = prerequisites.of_the_run(job.remote, service.connection.kube_context, namespace)
    prerequisites.refuse(prerequisites.run(needed))


def ensure_version(service: Service, compiled: str) -> pipeline_versions.Version:
    """The version of the pipeline for this commit."""
    name = pipeline_versions.named(revision.commit(), compiled)
    return pipeline_versions.ensure(service, training.name, name, compiled)
