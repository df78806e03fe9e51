"""`tidegate logs`: the state of each step of a run, why one does not start, and the log of a failed one."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kfp_server_api.exceptions import ApiException
from rich.text import Text
from urllib3.exceptions import HTTPError

from tidegate.commands.cluster import pod_view, pods, reasons, runs
from tidegate.commands.cluster.connection import DEFAULT_NAMESPACE
from tidegate.commands.cluster.progress import table
from tidegate.commands.cluster.reasons import Seen, Trouble
from tidegate.commands.cluster.service import Service
from tidegate.commands.cluster.states import State, state_of, states, word
from tidegate.commands.console import console
from tidegate.pipelines import cluster, graph, kubeflow, steps
from tidegate.process.errors import InputError

# Paths of the log: at the API server, and at the UI where only that can be reached.
API = "/apis/{version}/runs/{run}/nodes/{pod}/log"
VERSIONS = ("v1alpha1", "v1beta1", "v2beta1")
UI = "/k8s/pod/logs"
TAIL = 20
# The format of lines of Kubeflow's launcher and driver, which are mixed with those of the step.
LAUNCHER = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ [\w.-]+\.go:\d+\] ")
STEP = re.compile(r"(?m)^step \d+ of \d+: (\w+)\n")  # printed by tidegate.process.sequence
KILLED = "signal: killed"


def report(service: Service, run_id: str, step: str | None) -> dict[str, Any]:
    """The states of all steps; reason, cure and log of `step`, or of every step that failed or cannot start."""
    run = runs.read(service, runs.check_id(run_id))
    ir, platform = kubeflow.parts(kubeflow.compile(steps.IMAGE))
    names, task = [task.name for task in graph.tasks(ir)], _task(step)
    step_states = states(names, run, datetime.now(UTC))
    view = pod_view.sight(service)
    run_pods = pod_view.of_run(view, run_id)
    troubles = {trouble.step: trouble for trouble in reasons.troubles(step_states, run, run_pods)}
    failed = [state.step for state in step_states if state.state == "failed"]
    wanted = [task] if task else [*failed, *(name for name in troubles if name not in failed)]
    recorded = {name: _recorded(ir, platform, name, run) if name in names else [] for name in wanted}
    places = {name: _places(recorded[name], name, run, run_pods) for name in wanted}
    logs = {name: _log(service, view, run_id, places[name]) for name in wanted}
    return {
        "run": run_id,
        "state": word(state_of(run)),
        "link": service.connection.link("runs", run_id),
        "steps": [state._asdict() for state in step_states],
        "details": {name: _document(name, troubles.get(name), logs[name], step) for name in wanted},
    }


def _task(step: str | None) -> str | None:
    """The task of the requested step."""
    settings = cluster.load()
    if step and step not in settings.steps:
        raise InputError("step", f"one of {', '.join(settings.steps)}", step, "choose one")
    return settings.task_of(step) if step else None


def show(document: Mapping[str, Any], whole: bool) -> None:
    """Print it for a person: the whole log of a requested step, otherwise its errors or its last lines."""
    screen = console()
    screen.print(f"run {document['run']}: {document['state']}\n{document['link']}\n", soft_wrap=True)
    screen.print(table([State(**state) for state in document["steps"]]))
    names = [state["step"] for state in document["steps"]]
    for step, entry in document["details"].items():
        screen.print(f"\n{step}" + (f": {entry['reason']}" if entry["reason"] else ""), soft_wrap=True)
        if entry["cure"]:
            screen.print(Text(f"  cure: {entry['cure']}"), soft_wrap=True)
        for line in _display(entry, whole) if step in names or entry["log"] else []:
            screen.print(Text(f"  {line}"), soft_wrap=True)
        if step == "validate" and not whole:
            screen.print("  MLflow has the report, in validate/ of the run with the tag tidegate.validation = refused")


def split(text: str) -> tuple[str, str]:
    """The lines of the step itself, and those of Kubeflow's launcher."""
    lines = text.splitlines(keepends=True)
    own = [line for line in lines if not LAUNCHER.match(line)]
    return "".join(own), "".join(line for line in lines if LAUNCHER.match(line))


def of_step(log: str, step: str) -> str:
    """The lines of one step in the log of a fused task; all lines when the step did not begin."""
    _, *parts = STEP.split(log)
    return dict(zip(parts[::2], parts[1::2], strict=True)).get(step, log)


def is_log(text: str) -> bool:
    """Whether this is a log: without one, Kubeflow answers 200 with a JSON error."""
    try:
        document = json.loads(text)
    except ValueError:
        return bool(text)
    return not (isinstance(document, dict) and "error_message" in document)


def _document(task: str, trouble: Trouble | None, log: str | None, step: str | None) -> dict[str, str | None]:
    own, launcher = split(log or "")
    own = of_step(own, step) if step else own
    reason, cure = (trouble.reason, trouble.cure) if trouble else (None, None)
    for sign in (KILLED, "two tasks have the same task name"):
        if sign in launcher and sign not in (reason or ""):  # not only the generic error of Kubernetes
            reason, cure = f"{reason}: {sign}" if reason else sign, reasons.trouble(task, sign).cure
    return {"reason": reason, "cure": cure or None, "log": None if log is None else own, "launcher": launcher or None}


def _display(entry: Mapping[str, str | None], whole: bool) -> list[str]:
    if entry["log"] is None:
        return ["no log: its pod did not start, is gone, or is not yours to read; see the page of the run"]
    own, launcher = entry["log"].splitlines(), (entry["launcher"] or "").splitlines()
    if whole:
        return [*own, *(["", "Kubeflow's program around it:"] if launcher else []), *launcher]
    errors = [line for line in own if line.startswith("error: ")]
    return errors or own[-TAIL:] or [line for line in launcher if line[0] in "EF"] or launcher[-TAIL:]


def _recorded(ir: Mapping[str, Any], platform: Mapping[str, Any], step: str, run: Any) -> list[str]:
    """The pods that may have the log of a step, or of its driver if that failed."""
    if reasons.driver_failed(run, step):
        return pods.driver_names(ir, step, run)
    return pods.names(ir, platform, step, run)


def _places(recorded: Sequence[str], step: str, run: Any, run_pods: Sequence[Seen]) -> list[str]:
    """The same, with the names that Kubernetes or Argo reported first."""
    failed = reasons.driver_failed(run, step)
    step_pods = [item for item in run_pods if item.step == step and (item.driver == failed or not recorded)]
    latest = sorted(step_pods, key=lambda item: item.attempt, reverse=True)
    return list(dict.fromkeys([*(item.pod for item in latest), *recorded]))


def _log(service: Service, view: pod_view.Sight | None, run_id: str, places: Sequence[str]) -> str | None:
    """The first log that can be read; None without any."""
    namespace = service.namespace or service.connection.namespace or DEFAULT_NAMESPACE
    for pod in places:
        for path, query in _requests(namespace, run_id, pod):
            try:
                text = service.client.text(path, **query)
            except (ApiException, HTTPError, InputError):
                continue
            if is_log(text):
                return str(text)
        if text := pod_view.log(view, pod):
            return text
    return None


def _requests(namespace: str, run_id: str, pod: str) -> Iterator[tuple[str, dict[str, str]]]:
    for version in VERSIONS:
        yield API.format(version=version, run=run_id, pod=pod), {}
    yield UI, {"podname": pod, "runid": run_id, "podnamespace": namespace}
