"""How often rows have been used for a verdict: each verdict notes its window with its run, and counts those before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidegate.documents.batch import Batch
from tidegate.documents.document import Part
from tidegate.tracking.batch_runs import runs_about
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.tracking.reader import Reader, Run


@dataclass(frozen=True)
class Use(Part):
    """The window whose rows a verdict used, and how many verdicts had used rows of it before."""

    start: str
    end: str
    earlier: int


@answering()
def earlier_verdicts(client: Reader, name: str, key: str, batch: Batch) -> int:
    """How many other verdicts on the problem `name` used rows of the window of `batch` before the verdict `key` did.

    A verdict that was made before gets the number that it got then. Batches may differ in recipe and share their rows.
    """
    runs = runs_about(client, name)
    uses = {verdict: use for run in runs for verdict, use in _uses(run)}
    if key in uses:
        return uses[key].earlier
    return sum(_overlaps(use, batch) for use in uses.values()) + sum(_unnoted(run, batch) for run in runs)


def noted(key: str, batch: Batch, earlier: int) -> dict[str, str]:
    """The tag by which the batch's run says that its rows were used for the verdict `key`."""
    return {Tag.USE + key: json.dumps(Use(batch.start, batch.end, earlier).document())}


def _uses(run: Run) -> Iterator[tuple[str, Use]]:
    """Each use of the batch's rows by the key of its verdict."""
    for tag, value in run.data.tags.items():
        if tag.startswith(Tag.USE):
            yield tag.removeprefix(Tag.USE), Use(**json.loads(value))


def _overlaps(use: Use, batch: Batch) -> bool:
    """Half-open windows; moments in ISO 8601 are ordered as texts."""
    return use.start < batch.end and batch.start < use.end


def _unnoted(run: Run, batch: Batch) -> bool:
    """Whether a run has a verdict from before verdicts were noted, on a window that ends within this one."""
    tags = run.data.tags
    if Tag.VERDICT not in tags or any(tag.startswith(Tag.USE) for tag in tags):
        return False
    return bool(batch.start[:10] < tags.get(Tag.UNTIL, "") <= batch.end[:10])
