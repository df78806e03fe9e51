"""What MLflow holds of a release: a record of the batch that is written once, and the tag with its champion."""

from tidegate.documents.release import Release
from tidegate.documents.verdict import Question
from tidegate.process.context import experiment
from tidegate.tracking import records, run_data
from tidegate.tracking.batch_runs import last_read
from tidegate.tracking.reader import Client
from tidegate.tracking.tags import Tag


def recorded(client: Client, run_id: str, question: Question) -> Release | None:
    """The release that the batch has, None while it has none."""
    name = _name(question)
    values = records.recorded(client, run_id, name, last_read(client, run_id))
    return None if values is None else Release.of(values, f"{name} of run {run_id}")


def record(client: Client, run_id: str, release: Release, approval: str) -> Release:
    """Record the release; returns the one that the batch has. What another setting or a person may change is none."""
    if name := experiment():
        run_data.values(client, run_id, tags={Tag.EXPERIMENT: name})
        return release
    verdict, name = release.verdict, _name(release.verdict.question)
    if release.waiting or (approval == "never" and verdict.accepted):
        open_still = {**verdict.question.document(), "champion": verdict.champion, "approval": approval}
        name = records.question("judged", open_still)
    tags = {Tag.CHAMPION: release.champion or "none"}
    return Release.of(records.record(client, run_id, name, release.document(), tags), f"{name} of run {run_id}")


def _name(question: Question) -> str:
    return records.question("release", question.document())
