"""The journal of champions as values: entries, and what folding them in their order says; no MLflow here."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from tidegate.documents.verdict import VerdictSummary
from tidegate.tracking.tags import Tag

NONE = "0"
FEEDBACK = "feedback"
SUMMARY = {part.name: part.default is MISSING for part in fields(VerdictSummary)}  # whether an entry has to keep it


@dataclass(frozen=True)
class Entry:
    """One promotion: from the champion it was compared with (None: there was none) to a version, by whom and why.

    Its kind says who spoke: the loop (`promotion`), or a person (`approval`, `rollback`, `rejection`, `feedback`). A
    rejection moves nothing: it says why a version is not to serve. Feedback moves nothing and leads to no version:
    `feedback` holds what it is about (see `tidegate.tracking.feedback`).
    """

    before: str | None
    to: str
    batch: str
    who: str
    when: str
    why: str
    verdict: VerdictSummary | None = None
    digest: str = ""
    number: int = 0
    kind: str = "promotion"
    feedback: Mapping[str, str] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """What people are shown of it."""
        return {
            "entry": self.number,
            "kind": self.kind,
            "from": self.before,
            "to": self.to,
            "when": self.when,
            "who": self.who,
            "why": self.why,
        }


@dataclass(frozen=True)
class History:
    """The entries in their order: those that counted, came too late, reject, give feedback; and whom they leave.

    `refused` are the versions that a person rejected or rolled back, with the entry: only a person promotes them.
    """

    counted: tuple[Entry, ...] = ()
    void: tuple[Entry, ...] = ()
    rejected: tuple[Entry, ...] = ()
    refused: Mapping[str, Entry] = field(default_factory=dict)
    feedback: tuple[Entry, ...] = ()

    @property
    def tail(self) -> Entry | None:
        """The entry that made the champion."""
        return self.counted[-1] if self.counted else None

    @property
    def champion(self) -> str | None:
        """The version that serves."""
        return self.tail.to if self.tail else None

    @property
    def entries(self) -> list[Entry]:
        """All of them."""
        return sorted((*self.counted, *self.void, *self.rejected, *self.feedback), key=lambda entry: entry.number)

    @property
    def last(self) -> int:
        """The number of the last entry, 0 without any."""
        return max((entry.number for entry in self.entries), default=0)


def fold(entries: Iterable[Entry]) -> History:
    """An entry counts only if it was evaluated against the champion that the entries before it leave.

    What a person refused the loop does not promote again.
    """
    counted: list[Entry] = []
    void: list[Entry] = []
    rejected: list[Entry] = []
    feedback: list[Entry] = []
    refused: dict[str, Entry] = {}
    champion = None
    for entry in sorted(entries, key=lambda entry: entry.number):
        if entry.kind == "rejection":
            rejected.append(entry)
            refused[entry.to] = entry
        elif entry.kind == FEEDBACK:
            feedback.append(entry)
        elif entry.to and entry.before == champion and not (entry.kind == "promotion" and entry.to in refused):
            counted.append(entry)
            if entry.kind == "rollback" and champion:
                refused[champion] = entry
            refused.pop(entry.to, None)
            champion = entry.to
        else:
            void.append(entry)
    return History(tuple(counted), tuple(void), tuple(rejected), refused, tuple(feedback))


def same(history: History, entry: Entry) -> Entry | None:
    """The entry that already says this: the tail if it leads to the same version, else one of the same batch.

    A batch whose entry counted once is never promoted again by running it again, even if it was rolled back since;
    a batch that lost may try again, against another champion.
    """
    if history.tail and history.tail.to == entry.to:
        return history.tail
    if not entry.batch:
        return None
    rivals = [other for other in history.void if other.before == entry.before]
    return next((one for one in (*history.counted, *rivals) if (one.batch, one.to) == (entry.batch, entry.to)), None)


def missing(numbers: Iterable[int], length: int) -> list[int]:
    """The numbers that a journal without holes, and at least this long, would have as well."""
    there = set(numbers)
    return sorted(set(range(1, max(length, *there, 0) + 1)) - there)


def to_tags(entry: Entry) -> dict[str, str]:
    """The tags of the journal's version that is this entry."""
    about = entry.verdict.document() if entry.verdict else dict(entry.feedback)
    return {
        Tag.FROM: entry.before or NONE,
        Tag.TO: entry.to,
        Tag.BATCH: entry.batch,
        Tag.WHO: entry.who,
        Tag.WHEN: entry.when,
        Tag.WHY: entry.why,
        Tag.VERDICT: json.dumps(about, ensure_ascii=False),
        Tag.DIGEST: entry.digest,
        Tag.KIND: entry.kind,
    }


def from_tags(number: int, tags: Mapping[str, str]) -> Entry:
    """The entry of a version's tags; one without them, made by hand, leads nowhere and never counts."""
    before = tags.get(Tag.FROM, "")
    text = {key: tags.get(f"tidegate.{key}", "") for key in ("to", "batch", "who", "when", "why", "digest")}
    about = json.loads(tags.get(Tag.VERDICT, "{}"))
    # Before there were kinds, only a rollback was of no batch.
    kind = tags.get(Tag.KIND) or ("promotion" if text["batch"] else "rollback")
    return Entry(
        before=None if before == NONE else before,
        to=text["to"],
        batch=text["batch"],
        who=text["who"],
        when=text["when"],
        why=text["why"],
        verdict=None if kind == FEEDBACK else _summary(about, number),
        digest=text["digest"],
        number=number,
        kind=kind,
        feedback=about if kind == FEEDBACK else {},
    )


def _summary(values: Mapping[str, Any], number: int) -> VerdictSummary | None:
    """What an entry keeps of a verdict; None where it keeps less, and whatever else it keeps is left out."""
    summary = {key: values[key] for key in SUMMARY if key in values}
    whole = all(key in summary for key, necessary in SUMMARY.items() if necessary)
    return VerdictSummary.of(summary, f"entry {number} of the journal") if whole else None
