"""`tidegate logs`: what became of each step of a run, and what a step that failed said."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kfp_server_api.exceptions import ApiException
from rich.text import Text
from urllib3.exceptions import HTTPError

from components.errors import InputError
from pipelines import graph, kubeflow, steps
from pipelines.client import condition, pods, runs
from pipelines.client.connection import DEFAULT_NAMESPACE
from pipelines.client.following import table
from pipelines.client.service import Service
from pipelines.client.states import State, latest, states, word
from pipelines.console import console

# The API server has one of the first; the UI, where that is all that can be reached, has the last.
API = "/apis/{version}/runs/{run}/nodes/{pod}/log"
VERSIONS = ("v1alpha1", "v1beta1", "v2beta1")
UI = "/k8s/pod/logs"
TAIL = 20


def told(service: Service, run_id: str, step: str | None) -> dict[str, Any]:
    """The states of all steps; the log and the condition of `step`, or of every step that failed."""
    run = runs.read(service, runs.check_id(run_id))
    ir, platform = kubeflow.parts(kubeflow.compile(steps.IMAGE))
    names = [task.name for task in graph.tasks(ir)]
    if step and step not in names:
        raise InputError("step", f"one of {', '.join(names)}", step, "choose one")
    found = states(names, run, datetime.now(UTC))
    namespace = service.namespace or service.connection.namespace or DEFAULT_NAMESPACE
    sentences = condition.conditions(service.connection.kube_context, namespace, run_id, service.connection.timeout)
    wanted = [step] if step else [state.step for state in found if state.state == "failed"]
    return {
        "run": run_id,
        "state": word(run.state),
        "link": service.connection.link("runs", run_id),
        "steps": [state._asdict() for state in found],
        "told": {
            name: {
                "reason": _reason(run, name) or _of(sentences, name),
                "log": _log(service, namespace, run_id, pods.names(ir, platform, name, run)),
            }
            for name in wanted
        },
    }


def show(found: Mapping[str, Any], whole: bool) -> None:
    """Print it for a person: the whole log of a step that was asked for, else the errors in it or its end."""
    screen = console()
    screen.print(f"run {found['run']}: {found['state']}\n{found['link']}\n", soft_wrap=True)
    screen.print(table([State(**state) for state in found["steps"]]))
    for step, told in found["told"].items():
        screen.print(f"\n{step}" + (f": {told['reason']}" if told["reason"] else ""), soft_wrap=True, markup=False)
        for line in _shown(told["log"], whole):
            screen.print(Text(f"  {line}"), soft_wrap=True)
        if step == "validate" and not whole:
            screen.print("  MLflow has the report, in validate/ of the run with the tag tidegate.validation = refused")


def _shown(log: str | None, whole: bool) -> list[str]:
    if log is None:
        return ["no log: its pod is gone, or not yours to read; see the page of the run"]
    lines = log.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    return lines if whole else errors or lines[-TAIL:]


def _reason(run: Any, step: str) -> str | None:
    """What Kubeflow itself says; before 2.18 it leaves this empty."""
    tasks = latest(run)
    errors = [tasks[name].error for name in (step, f"{step}-driver") if name in tasks]
    return next((error.message for error in errors if error and error.message), None)


def _of(sentences: Mapping[str, str], step: str) -> str | None:
    found = [told for node, told in sorted(sentences.items()) if f".{step}.executor" in node]
    return found[-1] if found else None


def _log(service: Service, namespace: str, run_id: str, names: list[str]) -> str | None:
    """The log of the first pod that has one; None where nobody gives it."""
    for pod in names:
        places: list[tuple[str, dict[str, str]]] = [
            (API.format(version=version, run=run_id, pod=pod), {}) for version in VERSIONS
        ]
        places.append((UI, {"podname": pod, "runid": run_id, "podnamespace": namespace}))
        for path, query in places:
            try:
                if text := service.client.text(path, **query):
                    return str(text)
            except (ApiException, HTTPError, InputError):
                continue
    return None
