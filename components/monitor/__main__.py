"""The command of monitor."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.components.gate.announcement import announce
from tidegate.components.gate.decision import numbers
from tidegate.components.monitor.interruptions import losses, silence
from tidegate.components.monitor.judgement import Judged, Sources, judge
from tidegate.components.monitor.log import points
from tidegate.components.monitor.window import id_of, window_of
from tidegate.documents.decision import Decision, Policy
from tidegate.documents.formats import write_parameter, write_text
from tidegate.documents.moments import moment
from tidegate.documents.parameters import check_parameter
from tidegate.documents.traffic import Traffic
from tidegate.process.command import Output
from tidegate.process.context import kubeflow_run
from tidegate.process.errors import InputError
from tidegate.process.keys import trusted
from tidegate.tables.features import Window
from tidegate.tracking import decisions, feedback, journal, records, run_data, windows
from tidegate.tracking.alerts import alert
from tidegate.tracking.batch_runs import finish
from tidegate.tracking.champion import Champion, champion_of
from tidegate.tracking.reader import Client
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag

POLICY = tuple(Policy.__dataclass_fields__)


def monitor(
    name: str,
    window: str,
    until: str,
    recordings: str,
    tables: str,
    mode: str,
    off: str,
    sample_rows: int,
    minimum_rows: int,
    false_alarm_rate: float,
    minimum_effect: float,
    prediction_drift: float,
    label_drift: float,
    decay: float,
    together: float,
    slice_drift: float,
    estimate: float,
    max_age_days: int,
    cooldown_days: int,
    max_refused: int,
    refused_days: int,
    sign: str,
    decision: Output,
    gate: Output,
    traffic: Output,
    report: Output,
    retrain: Output,
) -> None:
    """Judge what the champion of `name` was asked in a window, by the gate's own logic; once per window and policy.

    `until` is the end of the window (UTC), empty: now; a window without a length is a day, or seven blocks.
    """
    given = {key: value for key, value in locals().items() if key in POLICY}
    for key, value in given.items():
        check_parameter("gate", key, value)
    policy, client = Policy(**given), connect()
    serves = journal.unrepaired(client, name, journal.history(client, name))
    champion = champion_of(client, name, serves, trusted(sign))
    if champion is None:
        raise InputError(name, "a champion", "none yet", "`tidegate run` trains the first")
    end = moment("until", until, "correct it") if until else datetime.now(UTC).replace(tzinfo=None)
    hours = window_of(window, end, champion.contract)
    pages = {"gate.html": gate, "traffic.html": report, "traffic.json": traffic}
    id_, key = id_of(name, champion.version, hours), records.question("decision", policy.document())
    run_id = windows.known_run(client, name, id_) or ""
    values = records.recorded(client, run_id, key) if run_id else None
    if values is not None:
        for file, path in pages.items():
            write_text(path, run_data.page(client, run_id, f"monitor/{key}/{file}"))
    else:
        said = feedback.current(serves.history)
        new = judge(client, champion, hours, policy, Sources(recordings, tables), said, pages, trusted(sign))
        run_id = windows.window_run(client, name, id_, _labels(champion, hours))  # what cannot be judged leaves none
        values = _record(client, run_id, key, new, pages)
    result = Decision.of(values, f"{key} of run {run_id}")
    announce(client, run_id, name, result, key, "requests")
    for lacking in (silence(result, windows.windows(client, name)), losses(result, Traffic.read(traffic))):
        if lacking:
            alert(client, run_id, lacking, key)
    result.write(decision)
    write_parameter(retrain, result.retrain)
    print(f"{result.decision}: {'; '.join(result.reasons)}")


def _labels(champion: Champion, window: Window) -> dict[str, str]:
    return {Tag.START: window.start.isoformat(), Tag.END: window.end.isoformat(), Tag.CHAMPION: champion.version}


def _record(client: Client, run_id: str, key: str, new: Judged, pages: Mapping[str, Path]) -> dict[str, Any]:
    """The record of a decision; its pages and series come before it, so that what is recorded has them."""
    decision = new.decision
    run_data.files(client, run_id, pages, f"monitor/{key}")
    signals = [run_data.Point(name, value) for name, value in numbers(decision).items()]
    run_data.values(client, run_id, metrics=[*points(new.traffic), *signals])
    tags = {
        Tag.ROWS: str(new.traffic.rows),
        Tag.DECISION: decision.decision,
        Tag.REASONS: "; ".join(decision.reasons),
        **decisions.noted(decision, new.loss),
    }
    # On a cluster the rest of the pipeline follows; here `tidegate monitor` notes what it has started.
    tags |= {Tag.STARTED: f"Kubeflow run {kubeflow_run()}"} if decision.retrain and kubeflow_run() else {}
    values = records.record(client, run_id, key, decision.document(), tags)
    finish(client, run_id)
    return values
