"""`tidegate schedule`: creates, lists, pauses and deletes the recurring run that cluster.yaml declares.

Kubeflow cannot change a recurring run: a changed declaration is a new one, and the old one goes once the new one is
there.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from tidegate.commands.cluster import pipeline_versions, runs, submission
from tidegate.commands.cluster.jobs import BY_ITSELF, MONITORING, TRAINING, Work, experiment_of
from tidegate.commands.cluster.service import Service
from tidegate.commands.console import console
from tidegate.commands.loop import workspace
from tidegate.contract.contract import read_contract
from tidegate.pipelines import cluster
from tidegate.process.errors import InputError

MARK = "declaration "
FIELD = re.compile(r"[0-9A-Za-z*?/,-]+")
MOST_AT_ONCE = 10  # what Kubeflow allows


class Schedule(NamedTuple):
    """The schedule of the recurring run, whether it catches up on missed times, and its maximum concurrency."""

    cron: str
    catchup: bool
    concurrency: int


def apply(service: Service, job: Work, unchecked: bool) -> str:
    """Create or replace the recurring run if it differs from the declaration; returns what was done as one word."""
    if not unchecked:
        submission.check(service, job)
    version = submission.ensure_version(service, job.compiled, job.pipeline)
    experiment = runs.ensure_experiment(service, job.experiment)
    parameters = {**job.parameters, **(BY_ITSELF if job.pipeline == TRAINING else {})}
    schedule = declared(pipeline=job.pipeline)
    wanted = digest(schedule, version.id, parameters, cluster.load().service_account)
    present = _present(service, experiment, job.experiment)
    same = [item for item in present if _mark(item) == wanted]
    if not same:
        # A paused one stays paused.
        enabled = not present or any(_enabled(item) for item in present)
        _create(service, experiment, job.experiment, version, parameters, schedule, wanted, enabled)
    for item in [item for item in present if item not in same[:1]]:
        service.ask(service.client.delete_recurring_run, item.recurring_run_id)
    if same and len(present) == 1:
        return "unchanged"
    return "replaced" if present else "created"


def listed(service: Service, pipeline: str) -> list[dict[str, Any]]:
    """Our recurring runs of a pipeline as documents: one, or none."""
    name = experiment_of(read_contract(workspace.CONTRACT).name, pipeline)
    experiment = runs.experiment(service, name)
    return [_row(service, item) for item in (_present(service, experiment, name) if experiment else [])]


def pause(service: Service, pipeline: str) -> int:
    """Pause: start no more runs."""
    return _each(service, pipeline, service.client.disable_recurring_run)


def resume(service: Service, pipeline: str) -> int:
    """Resume: start runs again."""
    return _each(service, pipeline, service.client.enable_recurring_run)


def delete(service: Service, pipeline: str) -> int:
    """Delete it; the runs that it started stay."""
    return _each(service, pipeline, service.client.delete_recurring_run)


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print them for a person."""
    if not rows:
        return console().print("no schedule: see `tidegate schedule apply`")
    table = Table("schedule", "state", "cron", "catchup", "at once", "version", box=None, padding=(0, 1))
    for row in rows:
        catchup = "yes" if row["catchup"] else "no"
        table.add_row(row["id"], row["state"], row["cron"], catchup, str(row["concurrency"]), row["version"][:12])
    console().print(table)
    for row in rows:
        console().print(row["link"], soft_wrap=True)
    return None


def digest(schedule: Schedule, version: str, parameters: Mapping[str, Any], account: str) -> str:
    """The digest by which declarations are compared."""
    document = json.dumps([schedule, version, parameters, account], sort_keys=True)
    return sha256(document.encode()).hexdigest()[:16]


def declared(path: Path = cluster.PATH, pipeline: str = TRAINING) -> Schedule:
    """The schedule of a pipeline in cluster.yaml; InputError for values that Kubeflow would refuse or misinterpret."""
    loaded = cluster.load(path)
    owner = "monitor" if pipeline == MONITORING else "predict"
    place = "schedule" if pipeline == TRAINING else f"{owner}.schedule"
    section = loaded.schedule if pipeline == TRAINING else getattr(loaded, owner).get("schedule", {})
    name = f"{cluster.display(path)}: {place}"
    for key in sorted(section.keys() ^ set(Schedule._fields)):
        expected = f"the keys {', '.join(Schedule._fields)}"
        raise InputError(f"{name}.{key}", expected, "an unknown key" if key in section else "nothing", "correct it")
    cron, catchup, concurrency = (section[key] for key in Schedule._fields)
    fields = str(cron).split()
    if not isinstance(cron, str) or len(fields) != 6 or not all(map(FIELD.fullmatch, fields)):
        expected = "six fields in quotes: second minute hour day month weekday"
        raise InputError(f"{name}.cron", expected, repr(cron), "correct it")
    if not isinstance(catchup, bool):
        raise InputError(f"{name}.catchup", "true or false", repr(catchup), "correct it")
    if type(concurrency) is not int or not 1 <= concurrency <= MOST_AT_ONCE:
        raise InputError(
            f"{name}.concurrency", f"a whole number from 1 to {MOST_AT_ONCE}", repr(concurrency), "correct it"
        )
    return Schedule(" ".join(fields), catchup, concurrency)


def _create(
    service: Service,
    experiment: str,
    name: str,
    version: pipeline_versions.Version,
    parameters: Mapping[str, Any],
    wanted: Schedule,
    mark: str,
    enabled: bool,
) -> None:
    service.ask(
        service.client.create_recurring_run,
        experiment,
        name,
        description=f"Tidegate, commit {version.name}; {MARK}{mark}",
        cron_expression=wanted.cron,
        max_concurrency=wanted.concurrency,
        no_catchup=not wanted.catchup,
        params=dict(parameters),
        pipeline_id=version.pipeline,
        version_id=version.id,
        enabled=enabled,
        service_account=cluster.load().service_account,
    )


def _present(service: Service, experiment: str, name: str) -> list[Any]:
    """Our recurring runs; those that people created by hand have no mark and are not touched."""
    wanted = pipeline_versions.called(name)
    answer = service.ask(service.client.list_recurring_runs, page_size=100, experiment_id=experiment, filter=wanted)
    return [item for item in answer.recurring_runs or [] if _mark(item)]


def _mark(recurring_run: Any) -> str:
    return str((recurring_run.description or "").partition(MARK)[2])


def _enabled(recurring_run: Any) -> bool:
    return bool(recurring_run.status == "ENABLED")


def _each(service: Service, pipeline: str, action: Callable[..., Any]) -> int:
    rows = listed(service, pipeline)
    if not rows:
        raise InputError("schedule", "a recurring run", "none", "see `tidegate schedule apply`")
    for row in rows:
        service.ask(action, row["id"])
    return len(rows)


def _row(service: Service, recurring_run: Any) -> dict[str, Any]:
    trigger = recurring_run.trigger.cron_schedule if recurring_run.trigger else None
    return {
        "id": recurring_run.recurring_run_id,
        "state": "enabled" if _enabled(recurring_run) else "paused",
        "cron": trigger.cron if trigger else "",
        "catchup": not recurring_run.no_catchup,
        "concurrency": int(recurring_run.max_concurrency or 1),
        "version": (recurring_run.description or "").partition("commit ")[2].partition(";")[0],
        "link": service.connection.link("recurringrun", recurring_run.recurring_run_id),
    }
