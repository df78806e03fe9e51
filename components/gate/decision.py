"""The decision: signals against thresholds, reasons in words; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from components.errors import InputError
from components.tasks import Task, tasks

modes = ("auto", "always", "never")


@dataclass(frozen=True)
class Signal:
    """One number against its threshold, and what that says; `opens` is whether it opens the gate."""

    name: str
    value: float
    threshold: float
    reason: str
    detail: Mapping[str, Any]

    @property
    def opens(self) -> bool:
        """Beyond its threshold."""
        return self.value > self.threshold


def check_mode(mode: str) -> None:
    """InputError for a mode that there is none of."""
    if mode not in modes:
        raise InputError("gate.mode", f"one of {', '.join(modes)}", repr(mode), "mend params.yaml")


def column_signals(
    scores: Mapping[str, float], nulls: Mapping[str, float], importances: Mapping[str, float], minimum_effect: float
) -> list[Signal]:
    """Drift of each feature, weighted by its share of the champion's importance; the largest effect first."""
    positive = {name: max(0.0, importances.get(name, 0.0)) for name in scores}
    whole = sum(positive.values()) or 1.0
    found = [
        _column_signal(name, max(score, nulls[name]), positive[name] / whole, nulls[name], minimum_effect)
        for name, score in scores.items()
    ]
    return sorted(found, key=lambda signal: (-signal.value, signal.name))


def _column_signal(name: str, score: float, share: float, null_shift: float, minimum_effect: float) -> Signal:
    effect = score * share
    words = f"{name} drifted by {score:.2f} and carries {share:.0%} of the champion's importance: effect {effect:.2f}"
    detail = {"score": score, "importance": share, "null_shift": null_shift}
    return Signal(f"drift of {name}", effect, minimum_effect, words, detail)


def prediction_signal(score: float, threshold: float) -> Signal:
    """Drift of what the champion predicts."""
    return Signal("drift of predictions", score, threshold, f"the champion's predictions drifted by {score:.2f}", {})


def decay_signal(loss: float, verdict_loss: float, threshold: float, task: Task = tasks["binary"]) -> Signal:
    """How much worse the champion is on this batch than on the rows it was promoted for, in the unit of its loss."""
    now, then = (task.text(value, 3) for value in (loss, verdict_loss))
    words = f"the champion's {task.words} is {now} on this batch, {then} on the rows it was promoted for"
    return Signal("decay", loss - verdict_loss, threshold, words, {"loss": loss, "verdict_loss": verdict_loss})


def settled(mode: str, decision: str, reason: str) -> tuple[str, list[str]]:
    """A decision that needs no signals, and why; the mode goes before it."""
    if mode == "auto":
        return decision, [reason]
    return "retrain" if mode == "always" else "keep", [f"gate.mode is {mode}", reason]


def decide(mode: str, signals: Sequence[Signal]) -> tuple[str, list[str]]:
    """`retrain` or `keep`, and why; the mode goes before the signals."""
    opened = [signal for signal in signals if signal.opens]
    told = [f"{signal.reason} (threshold {signal.threshold:g})" for signal in opened]
    if mode == "always":
        return "retrain", ["gate.mode is always", *told]
    if mode == "never":
        return "keep", ["gate.mode is never", *told]
    if opened:
        return "retrain", told
    nearest = max(
        signals, key=lambda signal: signal.value / signal.threshold if signal.threshold else 0.0, default=None
    )
    return "keep", ["nothing is beyond its threshold" + (f"; nearest: {nearest.reason}" if nearest else "")]


def document(
    batch: Mapping[str, Any],
    champion: str | None,
    verdict: tuple[str, list[str]],
    signals: Sequence[Signal],
    policy: Mapping[str, Any],
) -> dict[str, Any]:
    """The decision as a file: what was asked, every number and threshold, the answer and why."""
    decision, reasons = verdict
    return {
        "schema": 1,
        "batch": batch["id"],
        "window": {
            "start": batch["start"],
            "end": batch["end"],
            "rows": batch["rows"],
            "labelled_rows": batch["labelled_rows"],
        },
        "champion": champion,
        "decision": decision,
        "retrain": decision == "retrain",
        "reasons": reasons,
        "policy": dict(policy),
        "signals": [{**asdict(signal), "opens": signal.opens} for signal in signals],
    }


def numbers(decision: Mapping[str, Any]) -> dict[str, float]:
    """A decision as numbers: whether it retrains, the rows, and every signal by its name."""
    signals = {signal["name"]: signal["value"] for signal in decision["signals"]}
    rows = {name: decision["window"][name] for name in ("rows", "labelled_rows")}
    return {"retrain": int(decision["retrain"]), **rows, **signals}
