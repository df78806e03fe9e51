"""The release: what became of a challenger."""

from dataclasses import dataclass

from tidegate.documents.document import Document
from tidegate.documents.verdict import Verdict


@dataclass(frozen=True)
class Release(Document):
    """release.json: the version that the challenger got, if any, and the champion after it."""

    batch: str
    """The id of the batch."""
    name: str
    """The name of the problem."""
    until: str
    """The day on which the batch ends."""
    promoted: bool
    """Whether the challenger is the champion."""
    waiting: bool
    """Whether a person has still to approve or to reject the version."""
    version: str | None
    """The version that the challenger got; null when it was not registered."""
    champion: str | None
    """The version that serves; null when there is none."""
    experiment: str | None
    """The name of the DVC experiment, which is never promoted."""
    reason: str
    """Why it was promoted, or why not."""
    verdict: Verdict
