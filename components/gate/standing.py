"""Where a batch lies among the earlier ones: its champion's loss over time, its signals as shares of their limits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from tidegate.components.gate.pictures import mattering
from tidegate.pages.axes import Axis

most_batches, most_strips, apart = 60, 14, 0.28
lowest, highest = -1.0, 3.0  # what is further off is drawn at the edge
scale = Axis(lowest, highest)
pad, room = 0.08, 0.06
Decision = Mapping[str, Any]
Past = Sequence[Mapping[str, Any]]


def quality(decision: Decision, past: Past) -> dict[str, Any] | None:
    """The champion's loss on the batches whose labels were known, this one last; None unless there are two."""
    decay: Mapping[str, Any] = next(
        (signal["detail"] for signal in decision["signals"] if signal["signal"] == "decay"), {}
    )
    here = {"until": decision["until"], "loss": decay.get("loss"), "champion": decision["champion"]}
    known = [
        it for it in (*past[-most_batches:], {**here, "decision": decision["decision"]}) if it["loss"] is not None
    ]
    if len(known) < 2:
        return None
    promised = decay.get("verdict_loss")
    days = [float(datetime.fromisoformat(it["until"][:10]).toordinal()) for it in known]
    losses = [float(it["loss"]) for it in known]
    x, y = _padded(days), _padded([*losses, *([] if promised is None else [promised])])
    return {
        "dots": [_dot(it, x.at(day), y.at(it["loss"])) for it, day in zip(known, days, strict=True)],
        "x_ticks": _dates([(x.at(day), it["until"][:10]) for it, day in zip(known, days, strict=True)]),
        "y_ticks": y.ticks(),
        "changes": _changes([(x.at(day), it["champion"]) for it, day in zip(known, days, strict=True)]),
        "promised": None if promised is None else y.at(promised),
        "now": here["loss"] is not None,
    }


def strips(decision: Decision, past: Past) -> list[dict[str, Any]]:
    """Each signal that has a limit, among the earlier batches that had it: as shares of the limit, 1 is at it."""
    told = {signal["name"] for signal in mattering(decision["signals"])}
    asked = [it for it in decision["signals"] if it["signal"] != "features" or it["name"] in told]
    found = [_strip(it, past[-most_batches:]) for it in asked if it["value"] is not None and (it["limit"] or 0) > 0]
    return [strip for strip in found if strip["dots"]][:most_strips]


def _changes(places: Sequence[tuple[float, str | None]]) -> list[dict[str, Any]]:
    """Where another champion began to be the one that was asked; of those without room the first."""
    found: list[dict[str, Any]] = []
    for (_, before), (at, champion) in pairwise(places):
        if champion != before and (not found or at - found[-1]["at"] > room):
            found.append({"at": at, "text": f"version {champion}" if not found else str(champion)})
    return found


def _dates(places: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
    """The last date, and those before it that have room beside the others."""
    found = [places[-1]]
    for place, text in reversed(places[:-1]):
        if found[-1][0] - place >= apart:
            found.append((place, text))
    return [{"at": place, "text": text} for place, text in reversed(found)]


def _strip(signal: Mapping[str, Any], past: Past) -> dict[str, Any]:
    pairs = [it["signals"][signal["name"]] for it in past if signal["name"] in it["signals"]]
    before = [value / limit for value, limit in pairs if value is not None and limit and limit > 0]
    here = signal["value"] / signal["limit"]
    return {
        "name": signal["name"],
        "dots": [_place(ratio) for ratio in before],
        "now": _place(here),
        "beyond": here > 1,
        "ratio": here,
        "above": sum(here > ratio for ratio in before),
    }


def _place(ratio: float) -> float:
    return scale.at(min(max(ratio, lowest), highest))


def _dot(batch: Mapping[str, Any], x: float, y: float) -> dict[str, Any]:
    return {"x": x, "y": y, "opened": batch["decision"] == "retrain", "champion": batch["champion"]}


def _padded(values: Sequence[float]) -> Axis:
    axis = Axis.over(values)
    edge = pad * (axis.high - axis.low)
    return Axis(axis.low - edge, axis.high + edge)
