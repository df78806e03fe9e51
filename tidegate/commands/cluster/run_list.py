"""`tidegate runs`: the newest runs on the cluster, with the gate's decision where MLflow knows it."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from tidegate.commands.cluster import pod_view, runs
from tidegate.commands.cluster.jobs import UNTIL
from tidegate.commands.cluster.reasons import Seen, troubles
from tidegate.commands.cluster.service import Service
from tidegate.commands.cluster.states import state_of, states, word
from tidegate.commands.console import console
from tidegate.commands.loop import workspace
from tidegate.contract.contract import read_contract
from tidegate.pipelines import graph, kubeflow
from tidegate.process.errors import InputError
from tidegate.tracking.tags import Tag


def listed(service: Service, limit: int) -> list[dict[str, Any]]:
    """One document per run, the newest first: id, when, until, state, reason, decision, link."""
    name = read_contract(workspace.CONTRACT).name
    newest = runs.newest(service, name, limit)
    decisions = _decisions(name) if newest else {}
    reasons = _reasons(service, [run for run in newest if run.state != "SUCCEEDED"])
    return [_row(service, run, decisions) | {"reason": reasons.get(run.run_id)} for run in newest]


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print them for a person."""
    if not rows:
        return console().print("no runs yet: see `tidegate submit`")
    page = rows[0]["link"].replace(rows[0]["id"], "RUN")
    table = Table("run", "when", "until", "state", "gate", box=None, padding=(0, 1), caption=f"pages: {page}")
    table.caption_justify = "left"
    for row in rows:
        when = row["when"][:16].replace("T", " ") if row["when"] else ""
        table.add_row(row["id"], when, row["until"] or "", row["state"], row["decision"] or "")
    console().print(table)
    for row in rows:
        if row["reason"]:
            console().print(Text(f" {row['id']} {row['reason']}"), soft_wrap=True)
    return None


def _row(service: Service, run: Any, decisions: Mapping[str, str]) -> dict[str, Any]:
    until = _until(run)
    # The record of a batch that was decided earlier has no tag of this run; only a run that succeeded has a decision.
    by_moment = decisions.get(str(until)[:10]) if run.state == "SUCCEEDED" else None
    return {
        "id": run.run_id,
        "when": run.created_at.isoformat() if run.created_at else None,
        "until": until,
        "state": word(state_of(run)),
        "decision": decisions.get(run.run_id) or by_moment,
        "link": service.connection.link("runs", run.run_id),
    }


def _until(run: Any) -> str | None:
    """The end of the batch: the given one, or the day (UTC) that a recurring run was scheduled for."""
    until = runs.parameter(run, UNTIL)
    if until == "" and run.scheduled_at:
        return str(run.scheduled_at.astimezone(UTC).date())
    return until if until is None else str(until)


def _reasons(service: Service, unsuccessful: Sequence[Any]) -> dict[str, str]:
    """Why a run failed or does not go on, by its id: the first such step, and the reason where known."""
    if not unsuccessful:
        return {}
    steps = [task.name for task in graph.tasks(kubeflow.ir())]
    pods = pod_view.of_all_runs(pod_view.sight(service))
    reasons = {run.run_id: _reason(steps, run, pods.get(run.run_id, [])) for run in unsuccessful}
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(steps: Sequence[str], run: Any, pods: Sequence[Seen]) -> str | None:
    step_states = states(steps, run, datetime.now(UTC))
    stopped = [str(trouble) for trouble in troubles(step_states, run, pods)]
    ended = [f"{state.step}: {state.state}" for state in step_states if state.state in ("failed", "cancelled")]
    return next(iter([*stopped, *ended]), None)


def _decisions(name: str) -> dict[str, str]:
    """The gate's decisions by the run's id and by the end of the batch; none when MLflow cannot be reached."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return {}
    from tidegate.tracking.batch_runs import batches
    from tidegate.tracking.store import connect

    try:
        decided = [tags for tags in batches(connect(), name) if Tag.DECISION in tags]
    except InputError:
        return {}
    return {
        tags[tag]: tags[Tag.DECISION] for tags in decided for tag in (Tag.UNTIL, Tag.KUBEFLOW_RUN) if tags.get(tag)
    }
