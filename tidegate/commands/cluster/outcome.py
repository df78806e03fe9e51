"""What came of a run, as the table that ends `tidegate run`, fetched from MLflow."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tidegate.commands.cluster.states import states
from tidegate.commands.cluster.submission import UNTIL, Started


def outcome(started: Started, run: Any) -> dict[str, Any]:
    """Everything the table shows, as a document; `decision` is None where MLflow holds none of this run."""
    from tidegate.tracking.journal import champion
    from tidegate.tracking.outcomes import outcome as recorded
    from tidegate.tracking.store import connect

    client, job = connect(), started.work
    policies = {step: _section(job.parameters, step) for step in ("gate", "evaluate")}
    decision, release = recorded(client, job.name, started.id, str(job.parameters[UNTIL]), policies)
    told = states(job.steps, run, datetime.now(UTC))
    return {
        "batch": {"id": decision["batch"], **decision["window"]} if decision else None,
        "decision": decision,
        "verdict": release["verdict"] if release else None,
        "release": release,
        "champion": champion(client, job.name),
        "seconds": {step: round(seconds, 1) for step, _, seconds in told if seconds is not None},
        "look": [started.link],
    }


def _section(parameters: Mapping[str, Any], step: str) -> dict[str, Any]:
    return {key.removeprefix(f"{step}_"): value for key, value in parameters.items() if key.startswith(f"{step}_")}
