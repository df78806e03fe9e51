"""Where a batch lies among the earlier ones: its champion's loss over time, its signals as shares of their limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from tidegate.components.gate.pictures import leading_signals
from tidegate.components.gate.words import word
from tidegate.documents.decision import Decision
from tidegate.documents.signal import DecayDetail, EstimateDetail, Signal
from tidegate.pages.axes import Axis, dates
from tidegate.tracking.decisions import PastDecision

MOST_BATCHES, MOST_STRIPS = 60, 14
LOWEST, HIGHEST = -1.0, 3.0  # what is further off is drawn at the edge
SCALE = Axis(LOWEST, HIGHEST)
PAD, ROOM, FIRST_ROOM = 0.08, 0.06, 0.15
Past = Sequence[PastDecision]


@dataclass(frozen=True)
class Dot:
    """The loss on a batch; `opened` when the gate did."""

    x: float
    y: float
    opened: bool


@dataclass(frozen=True)
class Reign:
    """A stretch of batches with one champion: from and to where on the axis, its loss on the rows of its verdict."""

    version: str
    start: float
    end: float
    promised: float | None


@dataclass(frozen=True)
class Quality:
    """The champion's loss over the batches; `now` when this one, the last, has a loss as well."""

    dots: list[Dot]
    x_ticks: list[dict[str, Any]]
    y_ticks: list[dict[str, Any]]
    reigns: list[Reign]
    changes: list[dict[str, Any]]
    now: bool


@dataclass(frozen=True)
class Estimates:
    """The estimates of the record and of this batch, last; the losses; this batch's corrected one, with bounds."""

    line: list[tuple[float, float]]
    losses: list[tuple[float, float]]
    now: tuple[float, float]
    interval: tuple[float, float] | None
    x_ticks: list[dict[str, Any]]
    y_ticks: list[dict[str, Any]]


@dataclass(frozen=True)
class Strip:
    """A signal of this batch among those of the earlier ones, `above` so many of them."""

    name: str
    dots: list[float]
    now: float
    ratio: float
    above: int

    word: str
    """Whether it is beyond its limit, and whether that is beyond chance."""


def quality(decision: Decision, past: Past) -> Quality | None:
    """The champion's loss on the batches whose labels were known, this one last; None unless there are two."""
    decay = next((signal.detail for signal in decision.signals if isinstance(signal.detail, DecayDetail)), None)
    measured = [(entry, entry.loss) for entry in past[-MOST_BATCHES:] if entry.loss is not None]
    if decay is not None:
        measured.append((_as_past(decision, decay), decay.loss))
    if len(measured) < 2:
        return None
    days = [float(datetime.fromisoformat(entry.until[:10]).toordinal()) for entry, _ in measured]
    losses = [loss for _, loss in measured]
    batches = [entry for entry, _ in measured]
    promised = [entry.promised for entry in batches if entry.promised is not None]
    x, y = _padded(days), _padded([*losses, *promised])
    places = [x.at(day) for day in days]
    reigns = _reigns(list(zip(places, batches, strict=True)), y)
    return Quality(
        dots=[
            Dot(place, y.at(loss), entry.decision == "retrain")
            for place, (entry, loss) in zip(places, measured, strict=True)
        ],
        x_ticks=dates([(place, entry.until[:10]) for place, entry in zip(places, batches, strict=True)]),
        y_ticks=y.ticks(),
        reigns=reigns,
        changes=_changes(reigns),
        now=decay is not None,
    )


def estimates(decision: Decision) -> Estimates | None:
    """The estimates beside the losses that came later, and what is estimated of this batch; None without a record."""
    signal = next((signal for signal in decision.signals if isinstance(signal.detail, EstimateDetail)), None)
    if signal is None or not isinstance(signal.detail, EstimateDetail) or not signal.detail.record:
        return None
    detail, record = signal.detail, signal.detail.record
    middle = detail.verdict_loss + (signal.value or 0.0)
    bounds = [detail.verdict_loss + bound for bound in detail.interval or ()]
    losses = [entry.loss for entry in record]
    y = _padded([*losses, *(entry.estimate for entry in record), middle, detail.estimate, *bounds])
    place = Axis(-0.5, len(record) + 0.5)  # this batch is the last one
    xs = [place.at(number) for number in range(len(record) + 1)]
    days = [*(entry.until for entry in record), decision.until]
    every = [*(entry.estimate for entry in record), detail.estimate]
    return Estimates(
        line=[(x, y.at(value)) for x, value in zip(xs, every, strict=True)],
        losses=[(x, y.at(loss)) for x, loss in zip(xs, losses, strict=False)],
        now=(xs[-1], y.at(middle)),
        interval=(y.at(bounds[0]), y.at(bounds[1])) if bounds else None,
        x_ticks=dates([(x, day[:10]) for x, day in zip(xs, days, strict=True)]),
        y_ticks=y.ticks(),
    )


def _as_past(decision: Decision, decay: DecayDetail) -> PastDecision:
    return PastDecision(
        until=decision.until,
        batch=decision.batch,
        decision=decision.decision,
        champion=decision.champion,
        rows=decision.window.rows,
        loss=decay.loss,
        signals={},
        promised=decay.verdict_loss,
    )


def strips(decision: Decision, past: Past) -> list[Strip]:
    """Each signal that has a limit, among the earlier batches that had it: as shares of the limit, 1 is at it."""
    leading = {signal.name for signal in leading_signals(decision.signals)}
    candidates = [
        _strip(signal, signal.value / signal.limit, past[-MOST_BATCHES:])
        for signal in decision.signals
        if signal.signal != "cooldown"  # the more days ago the gate was open, the better
        and (signal.signal != "features" or signal.name in leading)
        and signal.value is not None
        and signal.limit is not None
        and signal.limit > 0
    ]
    return [strip for strip in candidates if strip.dots][:MOST_STRIPS]


def _reigns(places: Sequence[tuple[float, PastDecision]], y: Axis) -> list[Reign]:
    """Batches in a row that asked one champion; another one begins half-way between two batches."""
    groups = [list(group) for _, group in groupby(places, key=lambda pair: pair[1].champion)]
    middles = [round((before[-1][0] + after[0][0]) / 2, 4) for before, after in pairwise(groups)]
    ends = zip([0.0, *middles], [*middles, 1.0], strict=True)
    reigns = []
    for (start, end), group in zip(ends, groups, strict=True):
        promised = next((entry.promised for _, entry in reversed(group) if entry.promised is not None), None)
        reigns.append(Reign(group[0][1].champion or "", start, end, None if promised is None else y.at(promised)))
    return reigns


def _changes(reigns: Sequence[Reign]) -> list[dict[str, Any]]:
    """Where another champion began to be the one that was asked; of those without room the first is named."""
    changes: list[dict[str, Any]] = []
    free = 0.0  # from here on there is room for a name
    for before, reign in pairwise(reigns):
        if not before.version:  # which one was asked was not noted: it may have been the same
            continue
        text = f"version {reign.version}" if not changes else reign.version
        changes.append({"at": reign.start, "text": text if reign.start >= free else ""})
        if changes[-1]["text"]:
            free = reign.start + (FIRST_ROOM if len(changes) == 1 else ROOM)
    return changes


def _strip(signal: Signal, ratio: float, past: Past) -> Strip:
    pairs = [entry.signals[signal.name] for entry in past if signal.name in entry.signals]
    before = [value / limit for value, limit in pairs if value is not None and limit and limit > 0]
    above = sum(ratio > earlier for earlier in before)
    return Strip(signal.name, [_place(earlier) for earlier in before], _place(ratio), ratio, above, word(signal))


def _place(ratio: float) -> float:
    return SCALE.at(min(max(ratio, LOWEST), HIGHEST))


def _padded(values: Sequence[float]) -> Axis:
    axis = Axis.over(values)
    edge = PAD * (axis.high - axis.low)
    return Axis(axis.low - edge, axis.high + edge)
