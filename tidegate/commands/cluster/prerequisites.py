"""Checks of the requirements of a run; each is ok, wrong (with a cure) or not checked (with the reason)."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

from rich.text import Text

from tidegate.commands.cluster import data, images, objects, revision, rights
from tidegate.commands.cluster.connection import DEFAULT_NAMESPACE, Connection
from tidegate.commands.cluster.jobs import check_watch
from tidegate.commands.cluster.service import connect
from tidegate.commands.console import console
from tidegate.commands.loop import workspace
from tidegate.contract.contract import read_contract
from tidegate.documents.parameters import read_parameters
from tidegate.pipelines import cluster, kubeflow, steps
from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError
from tidegate.process.redaction import address
from tidegate.rollout.kubernetes_api import kubernetes_api
from tidegate.rollout.rollout import rehearse
from tidegate.rollout.service_client import ForbiddenError, service_client_of
from tidegate.rollout.target import Target, target_of

OK, WRONG, UNCHECKED = "ok", "wrong", "not checked"
COLOURS: Mapping[str, str] = {OK: "green", WRONG: "red", UNCHECKED: "yellow"}


class Check(NamedTuple):
    """One check: its name, its state (`ok`, `wrong` or `not checked`), and a sentence with finding and cure."""

    name: str
    state: str
    message: str


class UnfitError(InputError):
    """What would make a run fail, one line each."""

    def __init__(self, checks: Sequence[Check]) -> None:
        Exception.__init__(self, "\n".join([check.message for check in checks if check.state == WRONG]))


class NotCheckedError(Exception):
    """The reason why something cannot be checked from here."""


def examine(connection: Connection, remote: str | None) -> list[Check]:
    """Run all checks concurrently; returns them in order."""

    def namespace() -> str:
        return of_the_namespace(connection, None, _platform(), cluster.load().service_account)

    return run(
        {
            **of_the_run(remote, connection.kube_context, namespace),
            **of_the_rights(connection),
            **of_the_services(connection),
            **of_the_target(connection.kube_context, connection.namespace, _target()),
        }
    )


def _platform() -> Mapping[str, Any]:
    """What the pipelines ask of Kubernetes; those beside training only if cluster.yaml has a section for them."""
    loaded = cluster.load()
    others = {"predicting": loaded.predict, "monitoring": loaded.monitor}
    names = ("training", *(name for name, section in others.items() if section))
    executors: dict[str, Any] = {}
    for name in names:
        platform = kubeflow.parts(kubeflow.compile(steps.IMAGE, name=name))[1]
        executors |= platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def show(checks: Sequence[Check]) -> None:
    """Print the checks, one line each."""
    widths = [max(len(check[column]) for check in checks) + 2 for column in (0, 1)]
    for name, state, sentence in checks:
        line = Text.assemble(name.ljust(widths[0]), (state.ljust(widths[1]), COLOURS[state]), sentence)
        console().print(line, soft_wrap=True)


def of_the_run(remote: str | None, context: str | None, namespace: Callable[[], str]) -> dict[str, Callable[[], str]]:
    """What a run needs beside Kubeflow itself."""
    return {"code": _tree, "image": lambda: _image(context), "data": lambda: _data(remote), "namespace": namespace}


def of_the_services(connection: Connection) -> dict[str, Callable[[], str]]:
    """Whether Kubeflow Pipelines and MLflow answer."""
    return {"kubeflow": lambda: connect(connection).connection.where, "mlflow": _mlflow}


def of_the_rights(connection: Connection) -> dict[str, Callable[[], str]]:
    """Whether the run and the submitter have the necessary rights in Kubernetes."""
    return {"rights": lambda: _rights(connection)}


def of_the_target(context: str | None, namespace: str | None, target: Target) -> dict[str, Callable[[], str]]:
    """Whether KServe would make a canary, if versions go there."""
    return {"kserve": lambda: _kserve(context, namespace, target)} if target.on_kserve else {}


def of_the_namespace(connection: Connection, namespace: str | None, platform: Mapping[str, Any], account: str) -> str:
    """Check that the namespace of the run has the objects that the pipeline names; InputError lists missing ones."""
    place = namespace or connection.namespace or DEFAULT_NAMESPACE
    api = kubernetes_api(connection.kube_context)
    if api is None:
        raise NotCheckedError("no kubeconfig")
    things = objects.needed(platform, account)
    try:
        absent = objects.absent(api, place, things, connection.timeout)
    except PermissionError as reason:
        raise NotCheckedError(str(reason)) from None
    if absent:
        context = f" of context {connection.kube_context}" if connection.kube_context else ""
        found = f"no {', no '.join(map(str, absent))}"
        cure = "see k8s/, or correct cluster.yaml"
        raise InputError(f"namespace {place}{context}", ", ".join(map(str, things)), found, cure)
    return f"{', '.join(map(str, things))} in {place}"


def run(checks: Mapping[str, Callable[[], str]]) -> list[Check]:
    """Run all checks concurrently, in order; the text that a check returns is displayed if it is ok."""
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        return list(pool.map(_one, checks, checks.values()))


def refuse(checks: Sequence[Check]) -> None:
    """Raise InputError with all checks that are wrong."""
    if any(check.state == WRONG for check in checks):
        raise UnfitError(checks)


def _one(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, OK, within(limits.CHECK_SECONDS, look))
    except NotCheckedError as reason:
        return Check(name, UNCHECKED, str(reason))
    except (InputError, OSError) as error:  # a deadline that has passed is an OSError
        return Check(name, WRONG, " ".join(str(error).split()))


def _tree() -> str:
    return f"commit {revision.commit()}"


def _image(context: str | None) -> str:
    try:
        return images.check(cluster.load(), context, limits.LOOK_SECONDS)
    except PermissionError as reason:
        raise NotCheckedError(str(reason)) from None


def _rights(connection: Connection) -> str:
    api = kubernetes_api(connection.kube_context)
    if api is None:
        raise NotCheckedError("no kubeconfig")
    place = connection.namespace or DEFAULT_NAMESPACE
    try:
        return rights.check(api, place, cluster.load().service_account, connection.timeout)
    except PermissionError as reason:
        raise NotCheckedError(str(reason)) from None


def _target() -> Target:
    return target_of(read_parameters(workspace.PARAMS)["deploy"]) if workspace.PARAMS.is_file() else Target()


def _kserve(context: str | None, namespace: str | None, target: Target) -> str:
    if cluster.PATH.is_file():
        check_watch(target, cluster.load())
    problem = read_contract(workspace.CONTRACT).name
    place = target.service or f"{namespace or DEFAULT_NAMESPACE}/{problem}"
    if kubernetes_api(context) is None:
        raise NotCheckedError("no kubeconfig")
    try:
        rehearse(service_client_of(replace(target, service=place), problem, context))
    except ForbiddenError as reason:  # the account of a run is another
        raise NotCheckedError(str(reason)) from None
    return f"InferenceService {place} takes a canary"


def _data(remote: str | None) -> str:
    url, name = data.remote(remote, limits.LOOK_SECONDS)
    if name is None:
        raise NotCheckedError(f"{url} is no remote of DVC's configuration")
    data.check(name, limits.LOOK_SECONDS)
    return f"data.dvc on {url}"


def _mlflow() -> str:
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise InputError("MLFLOW_TRACKING_URI", "the MLflow server of the cluster", "nothing", "set it")
    from tidegate.tracking import server_trial, store

    sentence = server_trial.rehearse(store.connect(), read_contract(workspace.CONTRACT).name)
    return f"{address(uri)}: {sentence}"
