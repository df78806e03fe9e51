"""`tidegate runs`: the newest runs on the cluster, with the gate's decision where MLflow knows it."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from components.contract import read_contract
from components.errors import InputError
from pipelines import workspace
from pipelines.client import runs
from pipelines.client.service import Service
from pipelines.client.states import word
from pipelines.client.submitting import UNTIL
from pipelines.console import console


def listed(service: Service, limit: int) -> list[dict[str, Any]]:
    """One document per run, the newest first: id, when, until, state, decision, link."""
    name = read_contract(workspace.contract).name
    found = runs.newest(service, name, limit)
    decisions = _decisions(name) if found else {}
    return [_row(service, run, decisions) for run in found]


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
    return None


def _row(service: Service, run: Any, decisions: Mapping[str, str]) -> dict[str, Any]:
    until = runs.parameter(run, UNTIL)
    # A batch that was decided before has no tag of this run: only one that succeeded is known to be decided.
    by_moment = decisions.get(str(until)[:10]) if run.state == "SUCCEEDED" else None
    return {
        "id": run.run_id,
        "when": run.created_at.isoformat() if run.created_at else None,
        "until": until,
        "state": word(run.state),
        "decision": decisions.get(run.run_id) or by_moment,
        "link": service.connection.link("runs", run.run_id),
    }


def _decisions(name: str) -> dict[str, str]:
    """The gate's decisions by the run's id, and by the moment of the batch; none where MLflow is not reached."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return {}
    from components.tracking.outcomes import kubeflow_tag, until_tag
    from components.tracking.runs import batches
    from components.tracking.store import connect

    try:
        found = [tags for tags in batches(connect(), name) if "tidegate.decision" in tags]
    except InputError:
        return {}
    return {
        tags[tag]: tags["tidegate.decision"] for tags in found for tag in (until_tag, kubeflow_tag) if tags.get(tag)
    }
