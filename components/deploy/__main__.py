"""The command of deploy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from components.command import run
from components.context import commit, experiment, user
from components.contract import read_contract
from components.deploy.release import document, refusal, why
from components.errors import TrackingError
from components.formats import read_json, write_json
from components.tracking import logs, records
from components.tracking.entries import Entry
from components.tracking.journal import champion as champion_version
from components.tracking.journal import promote
from components.tracking.models import Logged, find_logged
from components.tracking.runs import batch_run, finish
from components.tracking.store import connect
from components.tracking.versions import register


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
    release: Path,
) -> None:
    """Register and promote the challenger if it was accepted; a batch is released once."""
    promise, this = read_contract(contract), read_json(batch)
    decided, judged, trained = read_json(decision), read_json(verdict), read_json(record)
    client = connect()
    run_id = batch_run(client, promise.name, this["id"], {"tidegate.until": this["end"][:10]})
    question = records.question("release", {key: judged[key] for key in ("challenger", "policy")})
    answer = records.recorded(client, run_id, question)
    if answer is None:
        reason = refusal(decided, judged, experiment())
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
            answer = _promote(client, run_id, this, decided, judged, trained, logged)
        if name := experiment():
            logs.tags(client, run_id, {"tidegate.experiment": name})
        else:
            answer = records.record(client, run_id, question, answer)
            logs.tags(client, run_id, {"tidegate.champion": answer["champion"] or "none"})
    finish(client, run_id)
    write_json(release, answer)
    print(f"version {answer['version']} is champion" if answer["promoted"] else f"not promoted: {answer['reason']}")


def _promote(
    client: MlflowClient,
    run_id: str,
    batch: Mapping[str, Any],
    decision: Mapping[str, Any],
    verdict: Mapping[str, Any],
    record: Mapping[str, Any],
    logged: Logged,
) -> dict[str, Any]:
    name = batch["name"]
    version = register(
        client,
        name,
        run_id,
        logged,
        batch["id"],
        {
            "tidegate.data": batch["data"],
            "tidegate.until": batch["end"],
            "tidegate.trained_to": record["to"],
            "tidegate.model": record["digest"],
            "tidegate.commit": commit(),
        },
    )
    told = {key: verdict[key] for key in ("loss", "rows", "blocks", "reasons", "models")}
    entry = Entry(
        before=verdict["champion"],
        to=version,
        batch=batch["id"],
        who=user(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        why=why(decision, verdict),
        verdict=told,
    )
    outcome = promote(client, name, entry)
    if not outcome.counted:
        raise TrackingError(
            f"promotion of {name} version {version}",
            f"champion {verdict['champion'] or 'none'}, as judged",
            f"champion {outcome.champion}",
            "run `tidegate run` again: it will be judged against the new champion",
        )
    return document(batch, verdict, version, outcome.champion, why(decision, verdict))


if __name__ == "__main__":
    run(deploy)
