"""The challenger in the registry: it becomes a version, and champion, or waits for a person."""

from datetime import UTC, datetime

from tidegate.components.deploy.release import Challenger, promotion_reason
from tidegate.documents.release import Release
from tidegate.documents.verdict import Verdict
from tidegate.process.context import commit, user
from tidegate.process.errors import TrackingError
from tidegate.process.keys import trusted_signer
from tidegate.process.wheel import packed
from tidegate.rollout.delivery import Delivery
from tidegate.rollout.watch import UnfitError
from tidegate.tracking import approvals, signatures, tools
from tidegate.tracking.entries import Entry
from tidegate.tracking.journal import State, promote, read
from tidegate.tracking.journal import champion as champion_version
from tidegate.tracking.models import Logged, find_logged
from tidegate.tracking.reader import Client, ModelVersion
from tidegate.tracking.tags import Tag
from tidegate.tracking.versions import labels, register, tag, tags_of


def settled(client: Client, run_id: str, challenger: Challenger, approval: str, delivery: Delivery) -> Release:
    """Register the challenger; promote it, leave it waiting, or leave it where a person's earlier word put it.

    It is signed if there are trusted keys; InputError before anything is written if none of them is here. On KServe
    it is promoted if it has passed its trial.
    """
    batch, verdict, reason = (
        challenger.batch,
        challenger.verdict,
        promotion_reason(challenger.decision, challenger.verdict),
    )
    keys = delivery.trusted
    signer = trusted_signer(keys) if keys else None
    logged = find_logged(client, run_id, challenger.files)
    registered, tags = _registered(client, run_id, challenger, logged, approval)
    version = str(registered.version)
    if signer:
        tags_before = registered.tags if signatures.holds(batch.name, version, registered.tags, keys) else tags
        whole = {**tags_before, **approvals.tags_of(verdict, approval)}
        tag(client, registered, {**whole, **signatures.signed(signer, batch.name, version, whole)})
    state = read(client, batch.name)
    past = state.history
    if refused := past.refused.get(version):
        return challenger.release(version, past.champion, f"{refused.who} {refused.why}")
    if version in {entry.to for entry in past.counted}:
        if version == past.champion:
            delivery.complete(version)
        return challenger.release(version, champion_version(client, batch.name), reason)
    if approval == "manual":
        _check_champion(batch.name, version, verdict, past.champion)
        wait = f"it waits for `tidegate approve {version}` or `tidegate reject {version}`"
        return challenger.release(version, past.champion, wait, waiting=True)
    return _delivered(delivery, challenger, version, state, logged.digest, reason)


def _delivered(
    delivery: Delivery, challenger: Challenger, version: str, state: State, digest: str, reason: str
) -> Release:
    """Promote the version by way of its target, or say why it did not pass there."""
    client, batch, verdict = delivery.client, challenger.batch, challenger.verdict
    known: State | None = state
    if (
        delivery.target.on_kserve
    ):  # a trial takes minutes: first see whether it is worth one, later read the journal anew
        _check_champion(batch.name, version, verdict, state.history.champion)
        known = None

    def promoted() -> str | None:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        entry = Entry(verdict.champion, version, batch.id, user(), when, reason, verdict.summary)
        outcome = promote(client, batch.name, entry, known, digest)
        if not outcome.counted:
            _check_champion(batch.name, version, verdict, outcome.champion)
        return outcome.champion

    try:
        return challenger.release(version, delivery.deliver(version, batch.id, promoted), reason)
    except UnfitError as unfit:
        return challenger.release(version, champion_version(client, batch.name), f"not fit on KServe: {unfit}")


def _registered(
    client: Client, run_id: str, challenger: Challenger, logged: Logged, approval: str
) -> tuple[ModelVersion, dict[str, str]]:
    """The version that holds the challenger, with its present verdict, and all tags as this run would write them.

    It may have been registered with an earlier verdict.
    """
    batch, record, verdict = challenger.batch, challenger.record, challenger.verdict
    verdict_tags = approvals.tags_of(verdict, approval)
    before = tags_of(client, batch.name, verdict.champion) if verdict.champion else {}
    made_by = {
        Tag.DATA: batch.data,
        Tag.UNTIL: batch.end,
        Tag.TRAINED_TO: record.to,
        Tag.MODEL: record.digest,
        Tag.COMMIT: commit(),
        **tools.keep(client, run_id, packed(), before),
    }
    tags = labels(logged, batch.id, {**made_by, **verdict_tags})
    version = register(client, batch.name, run_id, logged, batch.id, {**made_by, **verdict_tags})
    tag(client, version, verdict_tags)
    return version, tags


def _check_champion(name: str, version: str, verdict: Verdict, champion: str | None) -> None:
    """TrackingError when another champion serves than the one that the challenger was compared with."""
    if verdict.champion != champion:
        raise TrackingError(
            f"promotion of {name} version {version}",
            f"champion {verdict.champion or 'none'}, as evaluated",
            f"champion {champion or 'none'}",
            "run `tidegate run` again: it will be evaluated against the new champion",
        )
