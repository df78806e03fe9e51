"""`tidegate submit --wait`: follows the run, prints its result, and returns an exit code."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tidegate.commands.cluster.jobs import TRAINING, UNTIL
from tidegate.commands.cluster.progress import follow
from tidegate.commands.cluster.reasons import Trouble
from tidegate.commands.cluster.states import over, state_of, states, word
from tidegate.commands.cluster.submission import Started
from tidegate.commands.command import INTERRUPTED
from tidegate.commands.loop import summary
from tidegate.process.errors import InputError


def wait(started: Started, as_json: bool) -> int:
    """0 when the run succeeded, whatever the gate decided; 1 when it failed, was cancelled, or cannot go on."""
    try:
        run, stopped = follow(started.service, started.id, started.work.steps)
    except KeyboardInterrupt:
        print(f"\nthe run goes on: {started.link}", file=sys.stderr)
        return INTERRUPTED
    succeeded = run.state == "SUCCEEDED"
    result = _outcome(started, run) if succeeded and started.work.pipeline == TRAINING else None
    if as_json:
        print(json.dumps({**_document(started, run, stopped), **(result or {})}, indent=2))
    elif result and result["decision"]:
        summary.show(result)
    if not succeeded:
        print(_verdict(started, run, stopped), file=sys.stderr)
    return 0 if succeeded else 1


def outcome(started: Started, run: Any) -> dict[str, Any]:
    """The summary of a run from MLflow; `decision` is None when MLflow has none of this run."""
    from tidegate.tracking.journal import champion
    from tidegate.tracking.outcomes import outcome as recorded
    from tidegate.tracking.store import connect

    client, job = connect(), started.work
    policies = {step: _section(job.parameters, step) for step in ("gate", "evaluate")}
    decision, release = recorded(client, job.name, started.id, str(job.parameters[UNTIL]), policies)
    step_states = states(job.steps, run, datetime.now(UTC))
    return {
        "batch": {"id": decision.batch, **decision.window.document()} if decision else None,
        "decision": decision.document() if decision else None,
        "verdict": release.verdict.document() if release else None,
        "release": release.document() if release else None,
        "champion": champion(client, job.name),
        "seconds": {step: round(seconds, 1) for step, _, seconds in step_states if seconds is not None},
        "look": [started.link],
    }


def _verdict(started: Started, run: Any, stopped: Sequence[Trouble]) -> str:
    """The result of a run that did not succeed, in one line."""
    hopeless = [trouble for trouble in stopped if trouble.hopeless]
    why = "".join(f"; {trouble}" for trouble in (hopeless or stopped)[:1])
    if over(run):
        return f"run {started.id}: {word(state_of(run))}{why}; see `tidegate logs {started.id}`"
    return f"run {started.id}: cannot go on{why}; it is left as it is: to stop it, terminate it on {started.link}"


def _outcome(started: Started, run: Any) -> dict[str, Any] | None:
    """None, after a line with the reason, when MLflow cannot be reached: the run itself has succeeded."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):  # without it a new local store would be created
        print("no summary: set MLFLOW_TRACKING_URI to the MLflow server of the cluster", file=sys.stderr)
        return None
    try:
        result = outcome(started, run)
    except InputError as error:
        print(f"no summary: {error}", file=sys.stderr)
        return None
    if not result["decision"]:
        print("no summary: the server of MLFLOW_TRACKING_URI knows no decision of this run", file=sys.stderr)
    return result


def _document(started: Started, run: Any, stopped: Sequence[Trouble]) -> dict[str, Any]:
    steps = [state._asdict() for state in states(started.work.steps, run, datetime.now(UTC))]
    return {
        "run": started.id,
        "link": started.link,
        "version": started.version,
        "state": word(state_of(run)),
        "steps": steps,
        "reasons": [{"step": item.step, "reason": item.reason, "cure": item.cure or None} for item in stopped],
    }


def _section(parameters: Mapping[str, Any], step: str) -> dict[str, Any]:
    return {key.removeprefix(f"{step}_"): value for key, value in parameters.items() if key.startswith(f"{step}_")}
