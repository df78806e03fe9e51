"""What people said of the gate's decisions: one on a batch was right or wrong, drift of a column is to be ignored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

from tidegate.documents.decision import Feedback, FeedbackKind, Word
from tidegate.process.errors import InputError
from tidegate.tracking import journal, numbered
from tidegate.tracking.batch_runs import runs_about
from tidegate.tracking.entries import FEEDBACK, Entry, History
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

CURE = "see `tidegate batches --json`"


def current(past: History) -> list[Feedback]:
    """The feedback that is valid by a journal, the oldest first: of several on one batch or column the last one is."""
    last: dict[tuple[str, str], Feedback] = {}
    for entry in past.feedback:
        if (feedback := _feedback(entry)) is not None:
            key = (feedback.kind, feedback.about)
            last.pop(key, None)
            last[key] = feedback
    return list(last.values())


@answering()
def add(client: MlflowClient, name: str, feedback: Feedback) -> bool:
    """Write feedback into the journal; False when the same person's same word is what holds already."""
    past = journal.history(client, name)
    if any(replace(earlier, when=feedback.when) == feedback for earlier in current(past)):
        return False
    said = {"kind": feedback.kind, "about": feedback.about, "said": feedback.said, "until": feedback.until}
    batch = feedback.about if feedback.kind == "batch" else ""
    written = (feedback.who, feedback.when, feedback.why)
    entry = Entry(past.champion, "", batch, *written, feedback=said, kind=FEEDBACK)
    run_id = _run(client, name, batch)
    numbered.ensure(client, name)
    journal.append(client, name, entry, run_id)
    journal.repair(client, name)
    return True


@answering()
def decided_batch(client: MlflowClient, name: str, text: str) -> str:
    """The decided batch whose id begins with `text` or whose `until` is `text`; InputError unless there is one."""
    tags = [run.data.tags for run in runs_about(client, name, f"tags.`{Tag.DECISION}` != ''")]
    untils = {tag[Tag.BATCH]: tag.get(Tag.UNTIL, "") for tag in tags}
    matching = [batch for batch, until in untils.items() if text and (batch.startswith(text) or until == text)]
    if len(matching) == 1:
        return matching[0]
    ids = ", ".join(f"{batch[:12]} ({untils[batch]})" for batch in matching[:5]) or "none"
    raise InputError(f"batch {text!r}", "one that was decided: its id, the beginning of it, or its date", ids, CURE)


def _feedback(entry: Entry) -> Feedback | None:
    """The feedback of an entry; None for an entry of another form, which somebody wrote by hand."""
    values = {key: str(entry.feedback.get(key, "")) for key in ("kind", "about", "said", "until")}
    if values["kind"] not in get_args(FeedbackKind) or values["said"] not in get_args(Word):
        return None
    return Feedback(
        kind=cast(FeedbackKind, values["kind"]),
        about=values["about"],
        said=cast(Word, values["said"]),
        until=values["until"],
        who=entry.who,
        when=entry.when,
        why=entry.why,
    )


def _run(client: MlflowClient, name: str, batch: str) -> str:
    """The run of the batch that the feedback is about; of a column, that of the batch that was decided last."""
    runs = runs_about(client, name)
    run_ids = [str(run.info.run_id) for run in runs if not batch or run.data.tags[Tag.BATCH] == batch]
    if not run_ids:
        raise InputError(f"batch {batch!r}" if batch else name, "a batch that was decided", "none", CURE)
    return run_ids[-1]
