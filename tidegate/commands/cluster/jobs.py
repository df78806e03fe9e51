"""What a run is started with: the compiled pipeline and a value for each of its parameters, without the network."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tidegate.commands.cluster import arguments, data
from tidegate.commands.loop import workspace
from tidegate.contract.contract import read_contract
from tidegate.documents.formats import read_text
from tidegate.documents.parameters import check_parameter, read_parameters
from tidegate.documents.schema import faults, hint
from tidegate.pipelines import cluster, graph, kubeflow
from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.rollout.target import Target, target_of

TRAINING, PREDICTING, MONITORING = "training", "predicting", "monitoring"
UNTIL = "ingest_until"
FETCH = "collect_fetch"
# Of a run that begins by itself: the rows that the sources have by then. Kubeflow has no macro for the scheduled time
# in parameters: `collect` reads the day of the schedule.
BY_ITSELF = {UNTIL: "", FETCH: True}
# The section of cluster.yaml, and the values of params.yaml, that `--set` may override when predicting.
SECTION = "predict"
OURS = {"source": "STRING", "target": "STRING", "tables": "STRING", "version": "STRING", "skip_bad": "BOOLEAN"}
TARGET = ("target", "service", "canary_percent", "watch_seconds")
OTHERS = ("serve.unknown", "deploy.sign")


class Work(NamedTuple):
    """A compiled pipeline with its steps, and a value for each of its parameters; `name` is that of the problem."""

    pipeline: str
    name: str
    compiled: str
    steps: tuple[str, ...]
    platform: Mapping[str, Any]
    parameters: Mapping[str, Any]
    remote: str | None

    @property
    def experiment(self) -> str:
        """The experiment of its runs."""
        return experiment_of(self.name, self.pipeline)

    @property
    def title(self) -> str:
        """The name of a run."""
        return f"{self.name} {self.parameters[UNTIL] if self.pipeline == TRAINING else self.pipeline}"


def experiment_of(name: str, pipeline: str) -> str:
    """The experiment, and the recurring run, of a problem's pipeline; the runs that train have the problem's name."""
    return name if pipeline == TRAINING else f"{name}-{pipeline}"


def work(pipeline: str, until: str | None, settings: Sequence[str], remote: str | None) -> Work:
    """Compile a pipeline and collect its parameters; InputError for what it does not take."""
    if pipeline == TRAINING:
        return _training(until, settings, remote)
    for flag, value in {"--until": until, "--remote": remote if pipeline == PREDICTING else None}.items():
        if value is not None:
            raise InputError(flag, f"the pipeline {TRAINING}", pipeline, "leave it out")
    return _predicting(settings) if pipeline == PREDICTING else _monitoring(settings, remote)


def _training(until: str | None, settings: Sequence[str], remote: str | None) -> Work:
    compiled = kubeflow.compile()
    ir, platform = kubeflow.parts(compiled)
    address, name = data.remote(remote, limits.LOOK_SECONDS)
    moment = [] if until is None else [f"ingest.until={until}"]
    parameters = arguments.arguments(ir, [*settings, *moment], address)
    check_watch(target_of({key: parameters[f"deploy_{key}"] for key in TARGET}), cluster.load())
    steps = tuple(task.name for task in graph.tasks(ir))
    return Work(TRAINING, _problem(), compiled, steps, platform, parameters, name or remote)


def _monitoring(settings: Sequence[str], remote: str | None) -> Work:
    compiled = kubeflow.compile(name=MONITORING)
    ir, platform = kubeflow.parts(compiled)
    address, name = data.remote(remote, limits.LOOK_SECONDS)
    own = {"monitor_name": _problem(), "monitor_window": cluster.load().monitor.get("window", "")}
    parameters = {**arguments.arguments(ir, settings, address, own), **BY_ITSELF}
    if "://" not in (place := parameters["serve_record"]):
        cure = "let the server record there: see docs/monitoring.md"
        raise InputError("serve.record", "an S3 prefix such as s3://bucket/asked/", place or "nothing", cure)
    parameters["serve_tables"] = _shared(parameters["serve_tables"])
    check_watch(target_of({key: parameters[f"deploy_{key}"] for key in TARGET}), cluster.load())
    steps = ("monitor", *(task.name for task in graph.tasks(kubeflow.parts(kubeflow.compile())[0])))
    return Work(MONITORING, _problem(), compiled, steps, platform, parameters, name or remote)


def check_watch(target: Target, settings: cluster.Cluster) -> None:
    """InputError where a canary is watched for longer than the step `deploy` may take."""
    timeout = settings.steps["deploy"].timeout
    if target.on_kserve and target.watch_seconds >= timeout:
        expected = f"less than the {timeout:,} s of steps.deploy.timeout in {cluster.display(settings.path)}"
        cure = "shorten it, or lengthen the time-out, which the start of the canary's pod needs as well"
        raise InputError("deploy.watch_seconds", expected, f"{target.watch_seconds:,}", cure)


def _predicting(settings: Sequence[str]) -> Work:
    compiled = kubeflow.compile(name=PREDICTING)
    ir, platform = kubeflow.parts(compiled)
    name, steps = _problem(), tuple(ir["root"]["dag"]["tasks"])
    return Work(PREDICTING, name, compiled, steps, platform, {"name": name, **prediction(settings)}, None)


def _problem() -> str:
    return read_contract(workspace.CONTRACT).name


def prediction(settings: Sequence[str]) -> dict[str, Any]:
    """The parameters of predicting beside the name: of cluster.yaml and params.yaml, overridden by `settings`."""
    values, section = read_parameters(workspace.PARAMS), dict(cluster.load().predict)
    others = {"unknown": values["serve"]["unknown"], "sign": values["deploy"]["sign"]}
    for key, text in map(arguments.split, settings):
        owner, _, own = key.partition(".")
        if key in OTHERS:
            check_parameter(owner, own, text, f"--set {key}", "correct it")
            others[own] = text
        elif owner == SECTION and own in OURS:
            section[own] = arguments.checked(f"--set {key}", OURS[own], arguments.typed(text, OURS[own]))
        else:
            names = sorted([*OTHERS, *(f"{SECTION}.{name}" for name in OURS)])
            raise InputError(f"--set {key}", f"one of {', '.join(names)}", hint(key, names), "correct it")
    _check(section)
    tables = section.get("tables") or _shared(values["serve"]["tables"])
    usual = {"version": "", "skip_bad": False}
    return {**usual, **{name: section[name] for name in OURS if name in section}, "tables": tables, **others}


def _check(section: Mapping[str, Any]) -> None:
    """InputError for a section that lacks a place, or whose overrides are none."""
    whole = json.loads(read_text(cluster.SCHEMA))
    rules = {"properties": {SECTION: whole["properties"][SECTION]}, "definitions": whole["definitions"]}
    for fault in faults({SECTION: section}, rules):
        place = f"{cluster.display(cluster.PATH)}: {'.'.join(map(str, fault.path))}"
        raise InputError(place, fault.expected, fault.found, "correct it: see docs/predicting.md")


def _shared(place: str) -> str:
    """A place that is the same on the cluster; nothing for a folder of this machine."""
    return place if "://" in place else ""
