"""The verdict that a registered version carries, and what follows from it: who waits, and who may be approved."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from mlflow import MlflowClient

from tidegate.process.errors import TrackingError
from tidegate.tracking import journal, logs, numbered, versions
from tidegate.tracking.entries import Entry, History
from tidegate.tracking.records import question
from tidegate.tracking.store import answering

verdict_tag = "tidegate.verdict"
approval_tag = "tidegate.approval"
file = "verdict.json"
# A tag holds 100,000 letters, and slices may be many: the whole verdict is a file of the run.
summary = ("accepted", "champion", "batch", "loss", "loss_error", "rows", "blocks", "reasons", "models")


def text_of(verdict: Mapping[str, Any]) -> str:
    """A verdict as the file that is kept of it."""
    return json.dumps(verdict, indent=2, ensure_ascii=False) + "\n"


def place_of(verdict: Mapping[str, Any]) -> str:
    """The folder of the batch's run that has a verdict with its pages."""
    return f"evaluate/{question('verdict', verdict)}"


def summarised(verdict: Mapping[str, Any]) -> str:
    """A verdict in short with the place and the digest of its file, as a tag."""
    short = {key: verdict[key] for key in summary if key in verdict}
    digest = sha256(text_of(verdict).encode()).hexdigest()
    return json.dumps({**short, "file": f"{place_of(verdict)}/{file}", "digest": digest}, ensure_ascii=False)


@answering()
def whole(client: MlflowClient, name: str, version: str) -> dict[str, Any]:
    """The verdict by which a version was judged, as it was filed; TrackingError when there is none or another one."""
    registered = versions.get(client, name, version)
    short = told(name, version, registered.tags)
    text = logs.text(client, registered.run_id or "", short["file"])
    if sha256(text.encode()).hexdigest() != short["digest"]:
        raise TrackingError(f"verdict of {name} version {version}", "the verdict as filed", "another", "restore it")
    found: dict[str, Any] = json.loads(text)
    return found


@answering()
def waiting(client: MlflowClient, name: str) -> list[dict[str, Any]]:
    """The versions that wait for a person, with their verdicts; `holds` unless the champion has changed since."""
    past = journal.history(client, name)
    settled = {entry.to for entry in past.counted} | set(past.refused)
    found = [(str(it.version), it.tags) for it in numbered.listed(client, name, {approval_tag: "manual"})]
    return [
        {"version": version, "until": tags["tidegate.until"], "holds": _holds(judged, past), "verdict": judged}
        for version, tags in found
        if version not in settled and (judged := told(name, version, tags))
    ]


@answering()
def approvable(client: MlflowClient, name: str, version: str) -> tuple[History, dict[str, Any]]:
    """The journal, and the verdict of a version that may be approved; TrackingError says why another may not."""
    past = journal.history(client, name)
    judged = told(name, version, versions.tags_of(client, name, version))
    thing = f"approval of {name} version {version}"
    if not judged["accepted"]:
        raise TrackingError(thing, "an accepted verdict", "; ".join(judged["reasons"]), "train a better one")
    if version != past.champion and not _holds(judged, past):
        against, now = judged["champion"] or "none", past.champion or "none"
        cure = "run `tidegate run` again: it will be judged against the new champion"
        raise TrackingError(thing, f"champion {against}, as judged", f"champion {now}", cure)
    return past, judged


@answering()
def approve(client: MlflowClient, name: str, version: str, who: str, when: str, why: str) -> None:
    """Promote an accepted version through the journal; TrackingError when its verdict does not hold (any more)."""
    past, judged = approvable(client, name, version)
    if version == past.champion:
        return
    entry = Entry(past.champion, version, "", who, when, f"approved: {why}", judged, kind="approval")
    outcome = journal.promote(client, name, entry)
    if not outcome.counted:
        thing, found = f"approval of {name} version {version}", f"champion {outcome.champion}"
        raise TrackingError(thing, f"champion {past.champion or 'none'}", found, "it came too late: run it again")


@answering()
def reject(client: MlflowClient, name: str, version: str, who: str, when: str, why: str) -> None:
    """Record why a version is not to serve; TrackingError for the one that serves, which a rollback takes back."""
    past = journal.history(client, name)
    if version == past.champion:
        cure = "take it back with `tidegate rollback`"
        raise TrackingError(f"rejection of {name} version {version}", "a version that waits", "the champion", cure)
    journal.reject(client, name, Entry(past.champion, version, "", who, when, f"rejected: {why}", kind="rejection"))


def _holds(judged: Mapping[str, Any], past: History) -> bool:
    return bool(judged["champion"] == past.champion)


def told(name: str, version: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """The verdict of a version in short, from its tags; TrackingError when it has none."""
    if verdict_tag not in tags:
        cure = "choose one that `tidegate history` shows"
        raise TrackingError(f"{name} version {version}", "a version with its verdict", "none", cure)
    found: dict[str, Any] = json.loads(tags[verdict_tag])
    return found
