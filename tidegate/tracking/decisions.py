"""What the gate notes of each decision with the batch's run, so that a later page can show where a batch lies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tidegate.documents.decision import Decision
from tidegate.documents.signal import DecayDetail, EstimateDetail, EstimateRecord
from tidegate.tracking.tags import Tag

MOST_SIGNALS = 20
LONGEST = 7500  # letters; a server may hold no more than 8,000 in a tag


@dataclass(frozen=True)
class PastDecision:
    """The decision on an earlier batch in short; `signals` are pairs of a value and its limit."""

    until: str
    batch: str
    decision: str
    champion: str | None
    """The version that was asked; None where there was none, or where it was not noted."""
    rows: int
    loss: float | None
    """The champion's loss on the batch."""
    signals: Mapping[str, tuple[float | None, float | None]]
    promised: float | None = None
    """The champion's loss on the rows that it was promoted for."""
    estimate: float | None = None
    """What its loss on the labelled rows was estimated to be."""


def noted(decision: Decision, loss: float | None) -> dict[str, str]:
    """A decision in short as tags of its batch's run: at most 20 signals with their limits, the champion's losses.

    The tag `champion` will not do: after a release it holds the version that serves then.
    """
    decay = next((signal.detail for signal in decision.signals if isinstance(signal.detail, DecayDetail)), None)
    estimate = next((signal.detail for signal in decision.signals if isinstance(signal.detail, EstimateDetail)), None)
    champion = {"champion": decision.champion, "promised": decay.verdict_loss if decay else None, "loss": loss}
    champion |= {"estimate": estimate.labelled} if estimate and estimate.labelled is not None else {}
    signals = {signal.name: [signal.value, signal.limit] for signal in decision.signals if signal.value is not None}
    entries = list(signals.items())[:MOST_SIGNALS]
    while len(text := json.dumps({**champion, "signals": dict(entries)}, ensure_ascii=False)) > LONGEST:
        entries.pop()
    return {Tag.GATE: text}


def past(batches: Iterable[Mapping[str, str]], before_until: str) -> list[PastDecision]:
    """Of all batches those that were decided before this moment, the oldest first; no experiments.

    Those from before decisions were noted have neither loss nor signals.
    """
    earlier = [tags for tags in batches if tags.get(Tag.UNTIL, "9") < before_until[:10]]
    return [decided(tags) for tags in earlier if Tag.DECISION in tags and Tag.EXPERIMENT not in tags]


def decided(tags: Mapping[str, str]) -> PastDecision:
    """The decision that the tags of a batch tell of."""
    note = json.loads(tags.get(Tag.GATE, "{}"))
    return PastDecision(
        until=tags[Tag.UNTIL],
        batch=tags[Tag.BATCH],
        decision=tags[Tag.DECISION],
        champion=note.get("champion"),
        rows=int(tags.get(Tag.ROWS, 0)),
        loss=note.get("loss"),
        signals={name: (value, limit) for name, (value, limit) in note.get("signals", {}).items()},
        promised=note.get("promised"),
        estimate=note.get("estimate"),
    )


def estimates(past: Iterable[PastDecision]) -> list[EstimateRecord]:
    """The record of the estimates: the batches of which both the estimate and the loss are known, the oldest first."""
    return [
        EstimateRecord(entry.until, entry.estimate, entry.loss)
        for entry in past
        if entry.estimate is not None and entry.loss is not None
    ]
