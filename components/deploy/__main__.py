"""The command of deploy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from tidegate.components.deploy.release import document, refusal, why
from tidegate.contract.contract import read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.formats import read_json, write_json
from tidegate.documents.record import Record
from tidegate.process.command import Output
from tidegate.process.context import commit, experiment, user
from tidegate.process.errors import TrackingError
from tidegate.process.wheel import packed
from tidegate.tracking import approvals, logs, records, tools
from tidegate.tracking.entries import Entry
from tidegate.tracking.journal import champion as champion_version
from tidegate.tracking.journal import promote, read
from tidegate.tracking.models import Logged, find_logged
from tidegate.tracking.runs import batch_run, finish, seen
from tidegate.tracking.store import connect
from tidegate.tracking.versions import register, tag, tags_of


def deploy(
    contract: Path,
    sql: Path,
    estimator: Path,
    batch: Path,
    decision: Path,
    model: Path,
    reference: Path,
    record: Path,
    verdict: Path,
    approval: str,
    release: Output,
) -> None:
    """Register the challenger if it was accepted, and promote it unless a person is to; a batch is released once."""
    promise, this = read_contract(contract), Batch.read(batch)
    decided, judged, trained = read_json(decision), read_json(verdict), Record.read(record)
    client = connect()
    run_id = batch_run(client, promise.name, this.id, {"tidegate.until": this.end[:10]})
    asked = {key: judged[key] for key in ("challenger", "policy")}
    answer = records.recorded(client, run_id, records.question("release", asked), seen(client, run_id))
    if answer is None:
        reason = refusal(decided, judged, experiment(), approval)
        if reason is not None:
            answer = document(this, judged, None, champion_version(client, promise.name), reason, experiment())
        else:
            logged = find_logged(
                client,
                run_id,
                {
                    "model.skops": model,
                    "features.sql": sql,
                    "contract.yaml": contract,
                    "model.yaml": estimator,
                    "reference.parquet": reference / "reference.parquet",
                    "record.json": record,
                },
            )
            answer = _settle(client, run_id, this, decided, judged, trained, logged, approval)
        answer = _recorded(client, run_id, asked, answer, approval)
    finish(client, run_id)
    write_json(release, answer)
    print(f"version {answer['version']} is champion" if answer["promoted"] else f"not promoted: {answer['reason']}")


def _recorded(
    client: MlflowClient, run_id: str, asked: Mapping[str, Any], answer: dict[str, Any], approval: str
) -> dict[str, Any]:
    """Record the release. What another setting or a person may still change is no release yet."""
    if name := experiment():
        logs.values(client, run_id, tags={"tidegate.experiment": name})
        return answer
    tags = {"tidegate.champion": answer["champion"] or "none"}
    if answer["waiting"] or (approval == "never" and answer["verdict"]["accepted"]):
        open_still = {**asked, "champion": answer["verdict"]["champion"], "approval": approval}
        answer = records.record(client, run_id, records.question("judged", open_still), answer, tags)
    else:
        answer = records.record(client, run_id, records.question("release", asked), answer, tags)
    return answer


def _settle(
    client: MlflowClient,
    run_id: str,
    batch: Batch,
    decision: Mapping[str, Any],
    verdict: Mapping[str, Any],
    record: Record,
    logged: Logged,
    approval: str,
) -> dict[str, Any]:
    """Register the challenger; promote it, leave it waiting, or say what a person has said of it."""
    name, reason = batch.name, why(decision, verdict)
    registered = _registered(client, run_id, batch, verdict, record, logged, approval)
    version = str(registered.version)
    state = read(client, name)
    past = state.history
    if refused := past.refused.get(version):
        return document(batch, verdict, version, past.champion, f"{refused.who} {refused.why}")
    if version in {entry.to for entry in past.counted}:
        return document(batch, verdict, version, champion_version(client, name), reason)
    if approval == "manual":
        _check_champion(name, version, verdict, past.champion)
        wait = f"it waits for `tidegate approve {version}` or `tidegate reject {version}`"
        return document(batch, verdict, version, past.champion, wait, waiting=True)
    told = {key: verdict[key] for key in ("loss", "loss_error", "rows", "blocks", "reasons", "models")}
    when = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Entry(verdict["champion"], version, batch.id, user(), when, reason, told)
    outcome = promote(client, name, entry, state, logged.digest)
    if not outcome.counted:
        _check_champion(name, version, verdict, outcome.champion)
    return document(batch, verdict, version, outcome.champion, reason)


def _registered(
    client: MlflowClient,
    run_id: str,
    batch: Batch,
    verdict: Mapping[str, Any],
    record: Record,
    logged: Logged,
    approval: str,
) -> ModelVersion:
    """The version that holds the challenger, with its present verdict: it may have been registered with an earlier."""
    judged = {approvals.verdict_tag: approvals.summarised(verdict), approvals.approval_tag: approval}
    before = tags_of(client, batch.name, verdict["champion"]) if verdict["champion"] else {}
    made_by = {
        "tidegate.data": batch.data,
        "tidegate.until": batch.end,
        "tidegate.trained_to": record.to,
        "tidegate.model": record.digest,
        "tidegate.commit": commit(),
        **tools.keep(client, run_id, packed(), before),
    }
    version = register(client, batch.name, run_id, logged, batch.id, {**made_by, **judged})
    tag(client, version, judged)
    return version


def _check_champion(name: str, version: str, verdict: Mapping[str, Any], champion: str | None) -> None:
    """TrackingError when another champion serves than the one that the version was judged against."""
    if verdict["champion"] != champion:
        raise TrackingError(
            f"promotion of {name} version {version}",
            f"champion {verdict['champion'] or 'none'}, as judged",
            f"champion {champion or 'none'}",
            "run `tidegate run` again: it will be judged against the new champion",
        )
