"""Where a batch lies among the earlier ones: its champion's loss over time, its signals as shares of their limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from tidegate.components.gate.pictures import mattering
from tidegate.documents.decision import DecayDetail, Decision, Signal
from tidegate.pages.axes import Axis
from tidegate.tracking.decisions import PastDecision

MOST_BATCHES, MOST_STRIPS, LEAST_GAP = 60, 14, 0.28
LOWEST, HIGHEST = -1.0, 3.0  # what is further off is drawn at the edge
SCALE = Axis(LOWEST, HIGHEST)
PAD, ROOM = 0.08, 0.06
Past = Sequence[PastDecision]


@dataclass(frozen=True)
class Dot:
    """The loss on a batch; `opened` when the gate did."""

    x: float
    y: float
    opened: bool


@dataclass(frozen=True)
class Quality:
    """The champion's loss over the batches; `now` when this one, the last, has a loss as well."""

    dots: list[Dot]
    x_ticks: list[dict[str, Any]]
    y_ticks: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    promised: float | None
    now: bool


@dataclass(frozen=True)
class Strip:
    """A signal of this batch among those of the earlier ones, `above` so many of them."""

    name: str
    dots: list[float]
    now: float
    ratio: float
    above: int

    @property
    def beyond(self) -> bool:
        """Whether it is beyond its limit."""
        return self.ratio > 1


def quality(decision: Decision, past: Past) -> Quality | None:
    """The champion's loss on the batches whose labels were known, this one last; None unless there are two."""
    decay = next((signal.detail for signal in decision.signals if isinstance(signal.detail, DecayDetail)), None)
    known = [(each, each.loss) for each in past[-MOST_BATCHES:] if each.loss is not None]
    if decay is not None:
        known.append((_as_past(decision, decay.loss), decay.loss))
    if len(known) < 2:
        return None
    days = [float(datetime.fromisoformat(each.until[:10]).toordinal()) for each, _ in known]
    losses = [loss for _, loss in known]
    x, y = _padded(days), _padded([*losses, *([decay.verdict_loss] if decay else [])])
    places = [x.at(day) for day in days]
    batches = [each for each, _ in known]
    return Quality(
        dots=[
            Dot(place, y.at(loss), each.decision == "retrain")
            for place, (each, loss) in zip(places, known, strict=True)
        ],
        x_ticks=_dates([(place, each.until[:10]) for place, each in zip(places, batches, strict=True)]),
        y_ticks=y.ticks(),
        changes=_changes([(place, each.champion) for place, each in zip(places, batches, strict=True)]),
        promised=y.at(decay.verdict_loss) if decay else None,
        now=decay is not None,
    )


def _as_past(decision: Decision, loss: float) -> PastDecision:
    rows = decision.window.rows
    return PastDecision(decision.until, decision.batch, decision.decision, decision.champion, rows, loss, {})


def strips(decision: Decision, past: Past) -> list[Strip]:
    """Each signal that has a limit, among the earlier batches that had it: as shares of the limit, 1 is at it."""
    shown = {signal.name for signal in mattering(decision.signals)}
    found = [
        _strip(signal, signal.value / signal.limit, past[-MOST_BATCHES:])
        for signal in decision.signals
        if (signal.signal != "features" or signal.name in shown)
        and signal.value is not None
        and signal.limit is not None
        and signal.limit > 0
    ]
    return [strip for strip in found if strip.dots][:MOST_STRIPS]


def _changes(places: Sequence[tuple[float, str | None]]) -> list[dict[str, Any]]:
    """Where another champion began to be the one that was asked; of those without room the first."""
    found: list[dict[str, Any]] = []
    for (_, before), (at, champion) in pairwise(places):
        if champion != before and (not found or at - found[-1]["at"] > ROOM):
            found.append({"at": at, "text": f"version {champion}" if not found else str(champion)})
    return found


def _dates(places: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
    """The last date, and those before it that have room beside the others."""
    found = [places[-1]]
    for place, text in reversed(places[:-1]):
        if found[-1][0] - place >= LEAST_GAP:
            found.append((place, text))
    return [{"at": place, "text": text} for place, text in reversed(found)]


def _strip(signal: Signal, ratio: float, past: Past) -> Strip:
    pairs = [each.signals[signal.name] for each in past if signal.name in each.signals]
    before = [value / limit for value, limit in pairs if value is not None and limit and limit > 0]
    above = sum(ratio > other for other in before)
    return Strip(signal.name, [_place(other) for other in before], _place(ratio), ratio, above)


def _place(ratio: float) -> float:
    return SCALE.at(min(max(ratio, LOWEST), HIGHEST))


def _padded(values: Sequence[float]) -> Axis:
    axis = Axis.over(values)
    edge = PAD * (axis.high - axis.low)
    return Axis(axis.low - edge, axis.high + edge)
