"""`tidegate submit`: starts a run of a pipeline on the cluster, with the local files of the problem."""

from typing import NamedTuple

from tidegate.commands.cluster import pipeline_versions, prerequisites, revision, runs
from tidegate.commands.cluster.connection import Connection
from tidegate.commands.cluster.jobs import PREDICTING, TRAINING, UNTIL, Work
from tidegate.commands.cluster.service import Service, connect
from tidegate.documents.moments import moment
from tidegate.pipelines import cluster, kubeflow


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


def submit(connection: Connection, job: Work, unchecked: bool) -> Started:
    """Start a run; InputError with every reason why it would fail."""
    if job.pipeline == TRAINING:
        moment("--until", job.parameters[UNTIL], "correct it")
    service = connect(connection)
    if not unchecked:
        check(service, job)
    version = ensure_version(service, job.compiled, job.pipeline)
    experiment = runs.ensure_experiment(service, job.experiment)
    account = cluster.load().service_account
    run = runs.start(service, experiment, job.title, version, job.parameters, account)
    return Started(service, job, run.run_id, version.name)


def check(service: Service, job: Work) -> None:
    """InputError with every reason why a run would fail; predicting needs no data of DVC's."""

    def namespace() -> str:
        account = cluster.load().service_account
        return prerequisites.of_the_namespace(service.connection, service.namespace, job.platform, account)

    needed = prerequisites.of_the_run(job.remote, service.connection.kube_context, namespace)
    if job.pipeline == PREDICTING:
        del needed["data"]
    prerequisites.refuse(prerequisites.run(needed))


def ensure_version(service: Service, compiled: str, pipeline: str = TRAINING) -> pipeline_versions.Version:
    """The version of a pipeline for this commit."""
    name = pipeline_versions.named(revision.commit(), compiled)
    return pipeline_versions.ensure(service, kubeflow.PIPELINES[pipeline].name, name, compiled)
