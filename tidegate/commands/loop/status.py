"""`tidegate status`: where things stand, in a few lines, from what the other commands know."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.table import Table

from tidegate.commands.console import console
from tidegate.commands.loop import turn, workspace
from tidegate.commands.reviewing import approvals, batches, champions
from tidegate.contract.contract import read_contract
from tidegate.documents.formats import read_yaml
from tidegate.process.errors import InputError
from tidegate.scoring.tasks import TASKS, Task
from tidegate.tracking import database

DVC_YAML = Path("dvc.yaml")


def status() -> dict[str, Any]:
    """The problem, its champion, its newest batch, what waits for a person, and what `tidegate run` would do."""
    if not workspace.CONTRACT.is_file():
        cure = "go to the folder of a problem, or make one with `tidegate init`"
        raise InputError(workspace.CONTRACT, "the contract of a problem", "nothing", cure)
    promise = read_contract(workspace.CONTRACT)
    with ThreadPoolExecutor() as both:
        changed = both.submit(_changed)
        registered = _registered() if _has_store() else {"champion": None, "batch": None, "waiting": []}
        todo = changed.result()
    champion = registered["champion"]
    todo = todo or list(turn.stale(champion["to"] if champion else None))
    return {"problem": promise.name, "task": promise.task, "purpose": promise.purpose, **registered, "to_do": todo}


def _changed() -> list[str]:
    document = read_yaml(DVC_YAML) if DVC_YAML.is_file() else None
    stages = document.get("stages") if isinstance(document, dict) else None
    if isinstance(stages, dict) and workspace.other_stages(stages):
        return ["`tidegate upgrade`"]
    return workspace.changed_stages() if workspace.DATA.exists() else [str(workspace.DATA)]


def _has_store() -> bool:
    """Whether there may be something to ask MLflow for: its import alone takes seconds."""
    path = database.path_of(os.environ.get("MLFLOW_TRACKING_URI") or database.DEFAULT_URI)
    return path is None or path.exists()


def _registered() -> dict[str, Any]:
    past, decided = champions.history(), batches.decided()
    return {
        "champion": next((row for row in past if row["serves"]), None),
        "batch": next((row for row in reversed(decided) if not row["experiment"]), None),
        "waiting": [{key: row[key] for key in ("version", "until", "holds")} for row in approvals.waiting()],
    }


def show(document: Mapping[str, Any]) -> None:
    """Print it for a person."""
    table = Table.grid(padding=(0, 2))
    lines = {
        "problem": f"{document['problem']} ({document['task']}): {document['purpose']}",
        "champion": _champion(document["champion"], TASKS[document["task"]]),
        "batch": _batch(document["batch"]),
        "waiting": _waiting(document["waiting"]),
        "run": f"has something to do: {', '.join(document['to_do'])}" if document["to_do"] else "has nothing to do",
    }
    for name, line in lines.items():
        table.add_row(name, line)
    console().print(table)


def _champion(row: Mapping[str, Any] | None, task: Task) -> str:
    if row is None:
        return "none yet: `tidegate run` trains the first"
    loss = "" if row["loss"] is None else f", with a {task.words} of {task.text(row['loss'])} then"
    return "\n".join([f"version {row['to']} since {row['when'][:16].replace('T', ' ')}{loss}", *row["notes"]])


def _batch(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "none was decided yet"
    verdict = f"; the challenger's verdict: {row['verdict']}" if row["verdict"] else ""
    return f"until {row['until']}, {int(row['rows']):,} rows: {row['decision']} ({row['reasons']}){verdict}"


def _waiting(rows: list[Mapping[str, Any]]) -> str:
    versions = [f"version {row['version']}" + ("" if row["holds"] else ", evaluated again first") for row in rows]
    return f"{', '.join(versions)}: see `tidegate waiting`" if versions else "nothing waits for a person"
