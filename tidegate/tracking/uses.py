"""How often rows have been used for a verdict: each verdict notes its window with its run, and counts those before."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from tidegate.documents.batch import Batch
from tidegate.tracking.runs import runs_about
from tidegate.tracking.store import answering

prefix = "tidegate.judged."
verdict_tag, until_tag = "tidegate.verdict", "tidegate.until"
Note = dict[str, Any]


@answering()
def earlier_verdicts(client: MlflowClient, name: str, key: str, batch: Batch) -> int:
    """How many other verdicts on the problem `name` used rows of the window of `batch` before the verdict `key` did.

    A verdict that was made before is told what it was told then. Batches may differ in recipe and share their rows.
    """
    runs = runs_about(client, name)
    notes = {note["key"]: note for run in runs for note in _notes(run)}
    if key in notes:
        return int(notes[key]["earlier"])
    return sum(_overlap(note, batch) for note in notes.values()) + sum(_unnoted(run, batch) for run in runs)


def noted(key: str, batch: Batch, earlier: int) -> dict[str, str]:
    """The tag by which the batch's run says that its rows were used for the verdict `key`."""
    return {prefix + key: json.dumps({"start": batch.start, "end": batch.end, "earlier": earlier})}


def _notes(run: Run) -> Iterator[Note]:
    for tag, value in run.data.tags.items():
        if tag.startswith(prefix):
            yield {**json.loads(value), "key": tag.removeprefix(prefix)}


def _overlap(note: Mapping[str, Any], batch: Batch) -> bool:
    """Half-open windows; moments in ISO 8601 are ordered as texts."""
    return bool(note["start"] < batch.end and batch.start < note["end"])


def _unnoted(run: Run, batch: Batch) -> bool:
    """Whether a run has a verdict from before verdicts were noted, on a window that ends within this one."""
    tags = run.data.tags
    if verdict_tag not in tags or any(tag.startswith(prefix) for tag in tags):
        return False
    return bool(batch.start[:10] < tags.get(until_tag, "") <= batch.end[:10])
