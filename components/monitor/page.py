"""The page of what the champion was asked: a series of each number over the hours, beside what it learned from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.components.gate.words import COLORS, SENTENCES
from tidegate.documents.decision import Decision
from tidegate.documents.signal import DriftDetail, EstimateDetail
from tidegate.documents.traffic import FeatureHour, Hour, Numbers, Traffic
from tidegate.pages.axes import Axis, dates
from tidegate.pages.page import write_page
from tidegate.scoring.tasks import TASKS
from tidegate.serving.hours import numbers
from tidegate.tracking.champion import Champion

MOST_FEATURES = 40
NARROW = 1e-9  # of the size of the numbers
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """Lines over the hours and the band of two quantiles, in positions from 0 to 1; where the champion learned."""

    title: str
    lines: list[Points]
    band: Points
    learned: float | None
    ticks: list[dict[str, Any]]
    words: str


def write_traffic(path: Path, traffic: Traffic, decision: Decision, champion: Champion) -> None:
    """Write the page of a window."""
    task = TASKS[champion.contract.task]
    write_page(
        path,
        Path(__file__).with_name("report.html"),
        f"{traffic.name}: requests",
        traffic=traffic,
        decision=decision,
        sentence=SENTENCES[decision.decision],
        color=COLORS[decision.decision],
        hours=_hours(traffic),
        answers=[*_answers(traffic, champion), *_losses(traffic, decision, champion, task.words)],
        features=_features(traffic, decision, champion),
        left_out=max(0, len(champion.record.features) - MOST_FEATURES),
        loss=task.words,
    )


def _hours(traffic: Traffic) -> list[dict[str, Any]]:
    """Ticks of the time axis."""
    starts = [hour.start for hour in traffic.hours]
    long = len(starts) > 48
    return dates(
        [
            (place / len(starts), start[:10] if long else start[5:16].replace("T", " "))
            for place, start in enumerate(starts)
        ]
    )


def _answers(traffic: Traffic, champion: Champion) -> list[Series]:
    rows = _series("rows", [(hour, float(hour.rows)) for hour in traffic.hours], traffic, None, least=0.0)
    series = [rows] if rows else []
    sample = champion.reference["prediction"]
    learned = numbers(sample) if champion.contract.task != "multiclass" else None
    if spread := _spread("prediction", [(hour, hour.prediction) for hour in traffic.hours], traffic, learned):
        series.append(spread)
    names = list(dict.fromkeys(name for hour in traffic.hours for name in hour.classes))[:8]
    for name in names:
        share = (
            float((sample.astype(str) == name).mean())
            if champion.contract.task == "multiclass"
            else float((sample >= 0.5).mean())
        )
        values = [(hour, hour.classes.get(name, 0.0)) for hour in traffic.hours if hour.rows]
        series += filter(None, [_series(f"answered {name}", values, traffic, share, shares=True)])
    uncertain = [(hour, hour.uncertain) for hour in traffic.hours if hour.rows and hour.uncertain is not None]
    series += filter(None, [_series("uncertain answers", uncertain, traffic, None, shares=True)])
    return series


def _losses(traffic: Traffic, decision: Decision, champion: Champion, words: str) -> list[Series]:
    """The loss where labels are known; the estimate, if it has a record by which it can be read."""
    values = [(hour, hour.loss) for hour in traffic.hours if hour.loss is not None]
    promised = champion.verdict.loss if champion.verdict else None
    details = [signal.detail for signal in decision.signals if isinstance(signal.detail, EstimateDetail)]
    estimates = [(hour, hour.estimate) for hour in traffic.hours if hour.estimate is not None]
    lines = [
        _series(words, values, traffic, promised),
        _series(f"{words}, estimated without labels", estimates, traffic, promised)
        if any(detail.record for detail in details)
        else None,
    ]
    return [line for line in lines if line]


def _features(traffic: Traffic, decision: Decision, champion: Champion) -> list[dict[str, Any]]:
    """A row per feature, those with the largest effect first."""
    effects = {signal.column: signal for signal in decision.signals if signal.signal == "features" and signal.column}
    importances = champion.record.importances

    def rank(name: str) -> tuple[float, float]:
        signal = effects.get(name)
        return -((signal.value or 0.0) if signal else 0.0), -(importances.get(name) or 0.0)

    names = sorted(champion.record.features, key=rank)[:MOST_FEATURES]
    return [_feature(name, traffic, champion, effects.get(name)) for name in names]


def _feature(name: str, traffic: Traffic, champion: Champion, signal: Any) -> dict[str, Any]:
    came = [(hour, hour.features[name]) for hour in traffic.hours if name in hour.features]
    sample = champion.reference[name]
    learned = (
        numbers(sample.astype(float).replace([np.inf, -np.inf], np.nan))
        if champion.record.features[name] == "number"
        else None
    )
    detail = signal.detail if signal and isinstance(signal.detail, DriftDetail) else None
    missing = [(hour, own.missing) for hour, own in came]
    unseen = [(hour, own.unseen) for hour, own in came if own.unseen is not None]
    return {
        "name": name,
        "signal": signal,
        "drift": detail,
        "values": _spread(name, [(hour, own.numbers) for hour, own in came], traffic, learned),
        "missing": _series(f"{name} missing", missing, traffic, float(sample.isna().mean()), shares=True),
        "missing_share": _overall(came, "missing"),
        "unseen": _series(f"{name} unseen", unseen, traffic, 0.0, shares=True),
        "unseen_share": _overall(came, "unseen"),
    }


def _overall(came: Sequence[tuple[Hour, FeatureHour]], part: str) -> float | None:
    """The share over all hours."""
    known = [(hour.rows, getattr(own, part)) for hour, own in came if getattr(own, part) is not None]
    rows = sum(count for count, _ in known)
    return sum(count * share for count, share in known) / rows if rows else None


def _at(hour: Hour, traffic: Traffic) -> float:
    """The middle of an hour on the axis of time."""
    return round(([each.start for each in traffic.hours].index(hour.start) + 0.5) / len(traffic.hours), 4)


def _series(
    title: str,
    values: Iterable[tuple[Hour, float]],
    traffic: Traffic,
    learned: float | None,
    shares: bool = False,
    least: float | None = None,
) -> Series | None:
    """A line through the hours that have a value; None where none has."""
    points = [(_at(hour, traffic), value) for hour, value in values]
    if not points:
        return None
    edges = [0.0, max(0.02, *(1.1 * value for _, value in points))] if shares else [least] if least is not None else []
    axis = _axis([*(value for _, value in points), *edges, *([learned] if learned is not None else [])])
    whole = [(x, axis.at(value)) for x, value in points]
    last = f"{100 * points[-1][1]:.3g} %" if shares else f"{points[-1][1]:.4g}"
    return Series(
        title, _runs(whole, len(traffic.hours)), [], _on(axis, learned), axis.ticks(), f"in the last hour {last}"
    )


def _spread(
    title: str, values: Iterable[tuple[Hour, Numbers | None]], traffic: Traffic, learned: Numbers | None
) -> Series | None:
    """The mean over the hours within the band of the quantiles 0.05 and 0.95."""
    known = [(_at(hour, traffic), own) for hour, own in values if own]
    if not known:
        return None
    edges = [edge for _, own in known for edge in (own.low, own.high, own.mean)]
    axis = _axis([*edges, *([learned.mean] if learned else [])])
    upper = [(x, axis.at(own.high)) for x, own in known]
    lower = [(x, axis.at(own.low)) for x, own in reversed(known)]
    means = [(x, axis.at(own.mean)) for x, own in known]
    words = f"mean of the last hour {known[-1][1].mean:.4g}"
    if learned:
        words += f", of the reference {learned.mean:.4g}"
    return Series(
        title,
        _runs(means, len(traffic.hours)),
        [*upper, *lower],
        _on(axis, learned.mean if learned else None),
        axis.ticks(),
        words,
    )


def _axis(values: Sequence[float]) -> Axis:
    """An axis that covers all values; numbers that differ by their last bits are one."""
    low, high = min(values), max(values)
    return Axis.over(values if high - low > NARROW * max(1.0, abs(low), abs(high)) else [low])


def _on(axis: Axis, value: float | None) -> float | None:
    return None if value is None else axis.at(value)


def _runs(points: Points, hours: int) -> list[Points]:
    """The line in pieces: hours without a value leave a gap."""
    pieces: list[Points] = []
    for point in points:
        if pieces and point[0] - pieces[-1][-1][0] < 1.5 / hours:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces
