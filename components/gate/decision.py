"""The decision: what the signals together say, in words, and what would have changed it; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.components.gate.signal import Signal
from tidegate.documents.batch import Batch

version = 2
# What has to be known before the gate may be called shut; the others are known always, or of less weight.
needed = ("features", "predictions", "decay")
parameters = {
    "features": "minimum_effect",
    "predictions": "prediction_drift",
    "label": "label_drift",
    "decay": "decay",
    "age": "max_age_days",
    "cooldown": "cooldown_days",
    "budget": "max_refused",
}
most_changes = 3
Answer = tuple[str, list[str]]


def decide(mode: str, signals: Sequence[Signal]) -> Answer:
    """`retrain`, `keep` or `cannot tell`, and why; the mode goes before the brakes, those before what opens."""
    opened = [f"{it.reason}{limit(it)}" for it in _in("opens", signals)]
    held = [f"{it.reason}{limit(it)}" for it in _in("holds", signals)]
    unknown = list(dict.fromkeys(it.reason for it in _in("cannot tell", signals) if it.signal in needed))[:3]
    if mode != "auto":
        answer = "retrain" if mode == "always" else "keep"
        return answer, [f"gate.mode is {mode}", *opened, *unknown, *_told(signals)]
    if held:
        return "keep", [*held, *(f"held back: {reason}" for reason in opened), *_told(signals)]
    if opened:
        return "retrain", [*opened, *_told(signals)]
    if unknown:
        return "cannot tell", [*unknown, *_told(signals)]
    nearest = "".join(f"; nearest: {it.reason}{limit(it)}" for it in _nearest(signals)[:1])
    return "keep", [f"nothing is beyond its limit{nearest}", *_told(signals)]


def limit(signal: Signal) -> str:
    """The limit of a signal as its parameter, in parentheses; nothing for one without."""
    return f" (gate.{parameters[signal.signal]} {signal.limit:g})" if signal.limit is not None else ""


def _in(state: str, signals: Sequence[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.state == state]


def _told(signals: Sequence[Signal]) -> list[str]:
    """What does not decide and is to be known: another recipe, what a person said."""
    return [it.reason for it in _in("told", signals)] + [it.reason for it in _in("ignored", signals)]


def _nearest(signals: Sequence[Signal]) -> list[Signal]:
    """The shut signals with a limit, the nearest to opening first; no brakes."""
    shut = [it for it in _in("shut", signals) if it.signal not in ("cooldown", "budget") and it.limit is not None]
    return sorted(shut, key=lambda it: -_part(it))


def _part(signal: Signal) -> float:
    """How far a signal is on the way to opening; what chance explains counts by how much of that it has."""
    score, chance, value = signal.detail.get("score"), signal.detail.get("chance"), signal.value or 0.0
    part = value / signal.limit if signal.limit else float(value > 0)
    low = (signal.detail.get("interval") or [1.0])[0]
    by_chance = score / chance if score is not None and chance else float(low is None or low > 0)
    return min(part, by_chance)


def would_change(decision: str, mode: str, signals: Sequence[Signal], policy: Mapping[str, Any]) -> list[str]:
    """What would have changed the decision, in words."""
    if mode != "auto":
        return ["gate.mode auto would have left it to the signals"]
    if held := _in("holds", signals):
        return [
            f"{'lower' if it.signal == 'cooldown' else 'higher'} gate.{parameters[it.signal]}: {it.reason}"
            for it in held
        ]
    if decision == "retrain":
        opened = [it for it in _in("opens", signals) if it.signal in parameters]
        told = [_kept_shut_by(it) for it in opened[:most_changes]]
        return [f"the gate would have stayed shut with {' and '.join(told)}"] if told else []
    if decision == "cannot tell":
        return [f"more rows, labels or blocks of time: gate.minimum_rows is {policy['minimum_rows']:,}"]
    return [_opened_by(it) for it in _nearest(signals)[:most_changes]]


def _kept_shut_by(signal: Signal) -> str:
    return f"gate.{parameters[signal.signal]} at {signal.value:.3g} or more (it is {signal.limit:g})"


def _opened_by(signal: Signal) -> str:
    """What a signal lacks to open the gate."""
    score, chance = signal.detail.get("score"), signal.detail.get("chance")
    lacks = []
    if score is not None and chance is not None and score <= chance:
        lacks.append(f"a score above {chance:.3f}, which chance reaches (it is {score:.3f})")
    if signal.value is not None and signal.limit is not None and signal.value <= signal.limit:
        lacks.append(f"gate.{parameters[signal.signal]} below {signal.value:.3g} (it is {signal.limit:g})")
    interval = signal.detail.get("interval")
    if interval and interval[0] <= 0:
        lacks.append(f"a lower bound above 0 (it is {interval[0]:.3f})")
    return f"{signal.name}: {' and '.join(lacks)} would have opened the gate"


def document(
    batch: Batch,
    champion: Mapping[str, str] | None,
    answer: Answer,
    signals: Sequence[Signal],
    policy: Mapping[str, Any],
    compared: Mapping[str, int] | None = None,
    judgements: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The decision as a file (decision.schema.json); `champion` is its version and the digest of its model."""
    decision, reasons = answer
    recipe = {key: getattr(batch.recipe, key) for key in ("contract", "sql", "estimator")}
    return {
        "schema": version,
        "batch": batch.id,
        "until": batch.end,
        "inputs": {"data": batch.data, **recipe, "champion": champion},
        "window": {key: getattr(batch, key) for key in ("start", "end", "rows", "labelled_rows")},
        "champion": champion["version"] if champion else None,
        "decision": decision,
        "retrain": decision == "retrain",
        "reasons": reasons,
        "would_change": would_change(decision, policy["mode"], signals, policy),
        "judgements": [dict(it) for it in judgements],
        "policy": dict(policy),
        "compared": dict(compared) if compared else None,
        "signals": [signal.document() for signal in signals],
    }


def numbers(decision: Mapping[str, Any]) -> dict[str, float]:
    """A decision as numbers: whether it retrains, the rows, and every signal that has a number by its name."""
    signals = {it["name"]: it["value"] for it in decision["signals"] if it["value"] is not None}
    rows = {name: decision["window"][name] for name in ("rows", "labelled_rows")}
    return {"retrain": int(decision["retrain"]), **rows, **signals}
