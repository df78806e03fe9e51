"""The verdict that a registered version carries, and what follows from it: who waits, and who may be approved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from tidegate.documents.document import Part
from tidegate.documents.verdict import RegisteredVerdict, Verdict
from tidegate.process.errors import TrackingError
from tidegate.process.keys import Trusted
from tidegate.tracking import journal, numbered, run_data, signatures, versions
from tidegate.tracking.entries import Entry, History
from tidegate.tracking.records import question
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Reader

FILE = "verdict.json"


@dataclass(frozen=True)
class Waiting(Part):
    """A version that waits for a person; `holds` unless the champion has changed since its verdict."""

    version: str
    until: str
    holds: bool
    verdict: RegisteredVerdict


def text_of(verdict: Verdict) -> str:
    """A verdict as the file that is kept of it."""
    return json.dumps(verdict.document(), indent=2, ensure_ascii=False) + "\n"


def place_of(verdict: Verdict) -> str:
    """The folder of the batch's run that has a verdict with its pages."""
    return f"evaluate/{question('verdict', verdict.document())}"


def tags_of(verdict: Verdict, approval: str) -> dict[str, str]:
    """The tags of a version that was registered by a verdict, and whether it is to be approved by a person.

    A tag holds 100,000 letters, and slices may be many: the whole verdict is a file of the run.
    """
    registered = RegisteredVerdict(
        accepted=verdict.accepted,
        champion=verdict.champion,
        batch=verdict.batch,
        loss=verdict.loss,
        loss_error=verdict.loss_error,
        rows=verdict.rows,
        blocks=verdict.blocks,
        reasons=verdict.reasons,
        models=verdict.models,
        notes=verdict.notes,
        file=f"{place_of(verdict)}/{FILE}",
        digest=sha256(text_of(verdict).encode()).hexdigest(),
    )
    return {Tag.VERDICT: json.dumps(registered.document(), ensure_ascii=False), Tag.APPROVAL: approval}


@answering()
def whole(client: Reader, name: str, version: str, trusted: Trusted) -> Verdict:
    """The verdict on a version, as it was filed; TrackingError when there is none or another one."""
    registered = versions.get(client, name, version)
    signatures.check(name, version, registered.tags, trusted)
    verdict = verdict_of(name, version, registered.tags)
    text = run_data.text(client, registered.run_id or "", verdict.file)
    if sha256(text.encode()).hexdigest() != verdict.digest:
        raise TrackingError(f"verdict of {name} version {version}", "the verdict as filed", "another", "restore it")
    return Verdict.parse(text, verdict.file)


@answering()
def check_filed(client: MlflowClient, run_id: str, verdict: Verdict) -> None:
    """TrackingError unless evaluate filed this very verdict with the batch."""
    text = run_data.text_if_any(client, run_id, f"{place_of(verdict)}/{FILE}")
    if text != text_of(verdict):
        found = "another one" if text else "none such"
        raise TrackingError(FILE, f"a verdict that evaluate filed with run {run_id}", found, "run evaluate again")


@answering()
def waiting(client: Reader, name: str) -> list[Waiting]:
    """The versions that wait for a person, with their verdicts."""
    past = journal.history(client, name)
    settled = {entry.to for entry in past.counted} | set(past.refused)
    versions_waiting = []
    for registered in numbered.listed(client, name, {Tag.APPROVAL: "manual"}):
        version, tags = str(registered.version), registered.tags
        if version not in settled:
            verdict = verdict_of(name, version, tags)
            versions_waiting.append(Waiting(version, tags[Tag.UNTIL], _holds(verdict, past), verdict))
    return versions_waiting


@answering()
def approvable(client: MlflowClient, name: str, version: str, trusted: Trusted) -> tuple[History, RegisteredVerdict]:
    """The journal, and the verdict of a version that may be approved; TrackingError says why another may not."""
    past = journal.history(client, name)
    tags = versions.tags_of(client, name, version)
    signatures.check(name, version, tags, trusted)
    verdict = verdict_of(name, version, tags)
    thing = f"approval of {name} version {version}"
    if version == past.champion:
        cure = "nothing is left to do: `tidegate history` shows by whom and why"
        raise TrackingError(thing, "a version that waits", "the champion", cure)
    if not verdict.accepted:
        raise TrackingError(thing, "an accepted verdict", "; ".join(verdict.reasons), "train a better one")
    if not _holds(verdict, past):
        against, now = verdict.champion or "none", past.champion or "none"
        cure = "run `tidegate run` again: it will be evaluated against the new champion"
        raise TrackingError(thing, f"champion {against}, as evaluated", f"champion {now}", cure)
    return past, verdict


@answering()
def approve(client: MlflowClient, name: str, version: str, who: str, when: str, why: str, trusted: Trusted) -> None:
    """Promote an accepted version through the journal; TrackingError when it serves, or its verdict does not hold.

    The same said again by the same person changes nothing: the first time may have been interrupted.
    """
    tail = journal.history(client, name).tail
    if tail and (tail.kind, tail.to, tail.who, tail.why) == ("approval", version, who, f"approved: {why}"):
        return
    past, verdict = approvable(client, name, version, trusted)
    entry = Entry(past.champion, version, "", who, when, f"approved: {why}", verdict.summary, kind="approval")
    outcome = journal.promote(client, name, entry)
    if not outcome.counted:
        thing, serves = f"approval of {name} version {version}", f"champion {outcome.champion}"
        raise TrackingError(thing, f"champion {past.champion or 'none'}", serves, "it came too late: run it again")


@answering()
def reject(client: MlflowClient, name: str, version: str, who: str, when: str, why: str) -> None:
    """Record why a version is not to serve; TrackingError for the one that serves, and for one that is rejected.

    The same said again by the same person changes nothing: the first time may have been interrupted.
    """
    past, thing = journal.history(client, name), f"rejection of {name} version {version}"
    if version == past.champion:
        raise TrackingError(thing, "a version that waits", "the champion", "take it back with `tidegate rollback`")
    refusal = past.refused.get(version)
    if refusal and (refusal.kind, refusal.who, refusal.why) == ("rejection", who, f"rejected: {why}"):
        return
    if refusal and refusal.kind == "rejection":
        found = f"one that {refusal.who} has {refusal.why}"
        raise TrackingError(thing, "a version that waits", found, "nothing is left to do")
    journal.reject(client, name, Entry(past.champion, version, "", who, when, f"rejected: {why}", kind="rejection"))


def _holds(verdict: RegisteredVerdict, past: History) -> bool:
    return verdict.champion == past.champion


def verdict_of(name: str, version: str, tags: Mapping[str, str]) -> RegisteredVerdict:
    """The verdict on a version in short, from its tags; TrackingError when it has none."""
    if Tag.VERDICT not in tags:
        cure = "choose one that `tidegate history` shows"
        raise TrackingError(f"{name} version {version}", "a version with its verdict", "none", cure)
    return RegisteredVerdict.of(json.loads(tags[Tag.VERDICT]), f"{Tag.VERDICT} of {name} version {version}")
