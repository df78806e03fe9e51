"""The command of deploy."""

from pathlib import Path

from tidegate.components.deploy.log import record as record_release
from tidegate.components.deploy.log import recorded
from tidegate.components.deploy.promotion import settled
from tidegate.components.deploy.release import Challenger, check_chain, refusal
from tidegate.contract.contract import parse_contract
from tidegate.documents.decision import Decision
from tidegate.documents.formats import read_text
from tidegate.documents.record import Record
from tidegate.documents.release import Release
from tidegate.documents.verdict import Verdict
from tidegate.process.command import Output
from tidegate.process.context import experiment
from tidegate.process.keys import trusted
from tidegate.rollout.delivery import Delivery, tell
from tidegate.rollout.target import Target
from tidegate.tables.recipe import FILES, read_batch
from tidegate.tracking.approvals import check_filed
from tidegate.tracking.batch_runs import batch_run, finish
from tidegate.tracking.journal import champion
from tidegate.tracking.reader import Client
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag


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
    sign: str,
    target: str,
    service: str,
    canary_percent: int,
    watch_seconds: int,
    release: Output,
) -> None:
    """Register the challenger if it was accepted, and promote it unless a person is to; a batch is released once.

    With public keys in `sign` the version is signed, by the private key of one of them. With the `target` kserve it is
    first tried as a canary of the InferenceService `service`.
    """
    texts = {"contract": read_text(contract), "sql": read_text(sql), "estimator": read_text(estimator)}
    name = parse_contract(texts["contract"], str(contract)).name
    files = {"model.skops": model, "reference.parquet": reference / "reference.parquet", "record.json": record}
    documents = Decision.read(decision), Verdict.read(verdict), Record.read(record)
    challenger = Challenger(read_batch(batch, texts), *documents, files | {FILES[part]: texts[part] for part in texts})
    check_chain(challenger)
    client = connect()
    run_id = batch_run(client, name, challenger.batch.id, {Tag.UNTIL: challenger.batch.end[:10]})
    result = recorded(client, run_id, challenger.verdict.question)
    delivery = Delivery(client, name, trusted(sign), Target(target, service, canary_percent, watch_seconds), tell)
    if result is None:
        result = _new_release(client, run_id, challenger, approval, delivery)
    elif result.version and not result.promoted:
        delivery.withdraw(result.version)
    finish(client, run_id)
    result.write(release)
    print(f"version {result.version} is champion" if result.promoted else f"not promoted: {result.reason}")


def _new_release(client: Client, run_id: str, challenger: Challenger, approval: str, delivery: Delivery) -> Release:
    """The recorded release of a challenger: not registered for a reason, or registered and perhaps promoted."""
    check_filed(client, run_id, challenger.verdict)
    if reason := refusal(challenger.decision, challenger.verdict, experiment(), approval):
        if not experiment():
            delivery.withdraw()
        release = challenger.release(None, champion(client, challenger.batch.name), reason, experiment())
    else:
        release = settled(client, run_id, challenger, approval, delivery)
    return record_release(client, run_id, release, approval)
