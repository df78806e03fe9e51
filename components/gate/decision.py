"""The decision: what the signals together say, in words, and what would have changed it; pure."""

from collections.abc import Sequence
from itertools import chain

from tidegate.components.gate.plain_names import plain
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Answer, ChampionModel, Compared, Decision, Feedback, Inputs, Policy, Window
from tidegate.documents.signal import (
    DecayDetail,
    DriftDetail,
    EstimateDetail,
    Signal,
    SliceDecay,
    SliceDecayDetail,
    SliceDrift,
    SliceDriftDetail,
    State,
    TogetherDetail,
)

# What has to be known before the gate may be called shut; the others are known always, or of less weight.
NEEDED = ("features", "predictions", "decay")
PARAMETERS = {
    "features": "minimum_effect",
    "predictions": "prediction_drift",
    "label": "label_drift",
    "decay": "decay",
    "together": "together",
    "slices": "slice_drift",
    "slice_decay": "decay",
    "estimate": "estimate",
    "age": "max_age_days",
    "cooldown": "cooldown_days",
    "budget": "max_refused",
}
MOST_CHANGES = 3
PLOTTED, MOST_PLOTTED = ("signal", "share_of_limit"), 20


def decide(mode: str, signals: Sequence[Signal]) -> tuple[Answer, list[str]]:
    """`retrain`, `keep` or `cannot tell`, and why; the mode goes before the brakes, those before what opens."""
    opened = [f"{signal.reason}{limit(signal)}" for signal in _in("opens", signals)]
    brakes = [f"{signal.reason}{limit(signal)}" for signal in _in("holds", signals)]
    unmeasured = (signal.reason for signal in _in("cannot tell", signals) if signal.signal in NEEDED)
    unknown = list(dict.fromkeys(unmeasured))[:3]
    if mode != "auto":
        answer: Answer = "retrain" if mode == "always" else "keep"
        return answer, [f"gate.mode is {mode}", *opened, *unknown, *_named(signals)]
    if brakes:
        return "keep", [*brakes, *(f"held back: {reason}" for reason in opened), *_named(signals)]
    if opened:
        return "retrain", [*opened, *_named(signals)]
    if unknown:
        return "cannot tell", [*unknown, *_named(signals)]
    near = _nearest(signals)
    certainly = "certainly " if any(beyond(signal) for signal in near) else ""
    nearest = "".join(f"; nearest: {signal.reason}{limit(signal)}" for signal in near[:1])
    return "keep", [f"nothing is {certainly}beyond its limit{nearest}", *_named(signals)]


def limit(signal: Signal) -> str:
    """The limit of a signal as its parameter, in parentheses; nothing for one without."""
    return f" (gate.{PARAMETERS[signal.signal]} {signal.limit:g})" if signal.limit is not None else ""


def _in(state: State, signals: Sequence[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.state == state]


def _named(signals: Sequence[Signal]) -> list[str]:
    """What does not decide and is named: another recipe, what a person said."""
    return [signal.reason for signal in chain(_in("named", signals), _in("ignored", signals))]


def _nearest(signals: Sequence[Signal]) -> list[Signal]:
    """The shut signals with a limit, the nearest to opening first; no brakes."""
    shut = [signal for signal in _in("shut", signals) if signal.signal not in ("cooldown", "budget")]
    return sorted((signal for signal in shut if signal.limit is not None), key=lambda signal: -_part(signal))


def beyond(signal: Signal) -> bool:
    """Whether a signal is larger than its limit, certainly or by chance."""
    return signal.value is not None and signal.limit is not None and signal.value > signal.limit


def certainty(signal: Signal) -> float | None:
    """How far a signal is beyond chance: above 1 it is; None where chance has no part in it."""
    match signal.detail:
        case (
            DriftDetail(score=float(score), chance=float(critical))
            | SliceDriftDetail(slices=(SliceDrift(score=float(score), chance=float(critical)), *_))
        ):
            return score / critical if critical else 2.0 * (score > 0)
        case TogetherDetail(area=area, chance=float(critical)):
            return max(0.0, area - 0.5) / (critical - 0.5) if critical > 0.5 else 2.0 * (area > critical)
        case (
            DecayDetail(interval=(low, _))
            | EstimateDetail(interval=(low, _))
            | SliceDecayDetail(slices=(SliceDecay(interval=(low, _)), *_))
        ):
            growth = signal.value or 0.0
            return growth / (growth - low) if low < growth > 0 else 2.0 * (low > 0)
    return None


def _part(signal: Signal) -> float:
    """How far a signal is on the way to opening: the smaller of its size and its certainty, 1 is at the limit."""
    value = signal.value or 0.0
    size = value / signal.limit if signal.limit else float(value > 0)
    certain = certainty(signal)
    return min(size, 1.0 if certain is None else certain)


def would_change(decision: Answer, signals: Sequence[Signal], policy: Policy) -> list[str]:
    """What would have changed the decision, in words."""
    if policy.mode != "auto":
        return ["gate.mode auto would have left it to the signals"]
    if brakes := _in("holds", signals):
        return [
            f"{'lower' if signal.signal == 'cooldown' else 'higher'} gate.{PARAMETERS[signal.signal]}: {signal.reason}"
            for signal in brakes
        ]
    if decision == "retrain":
        opened = sorted(_in("opens", signals), key=lambda signal: signal.value or 0.0)
        highest = {PARAMETERS[signal.signal]: signal for signal in opened if signal.signal in PARAMETERS}
        limits = [_kept_shut_by(signal) for signal in highest.values()]
        return [f"the gate would have stayed shut with {' and '.join(limits)}"] if limits else []
    if decision == "cannot tell":
        return [f"more rows, labels or blocks of time: gate.minimum_rows is {policy.minimum_rows:,}"]
    return [_opened_by(signal) for signal in _nearest(signals)[:MOST_CHANGES] if (signal.value or 0.0) > 0]


def _kept_shut_by(signal: Signal) -> str:
    return f"gate.{PARAMETERS[signal.signal]} at {signal.value:.3g} or more (it is {signal.limit:g})"


def _opened_by(signal: Signal) -> str:
    """What a signal lacks to open the gate."""
    lacks = []
    match signal.detail:
        case (
            DriftDetail(score=float(score), chance=float(critical))
            | SliceDriftDetail(slices=(SliceDrift(score=float(score), chance=float(critical)), *_))
        ) if score <= critical:
            lacks.append(f"a score above {critical:.3f}, which chance reaches (it is {score:.3f})")
        case TogetherDetail(area=area, chance=float(critical)) if area <= critical:
            lacks.append(f"an AUC above {critical:.3f}, which chance reaches (it is {area:.3f})")
    if signal.value is not None and signal.limit is not None and signal.value <= signal.limit:
        lacks.append(f"gate.{PARAMETERS[signal.signal]} below {signal.value:.3g} (it is {signal.limit:g})")
    match signal.detail:
        case (
            DecayDetail(interval=(low, _))
            | EstimateDetail(interval=(low, _))
            | SliceDecayDetail(slices=(SliceDecay(interval=(low, _)), *_))
        ) if low <= 0:
            lacks.append(f"a lower bound above 0 (it is {low:.2g})")
    return f"{signal.name}: {' and '.join(lacks)} would have opened the gate"


def decision_of(
    batch: Batch,
    champion: ChampionModel | None,
    answer: Answer,
    reasons: Sequence[str],
    signals: Sequence[Signal],
    policy: Policy,
    compared: Compared | None = None,
    feedback: Sequence[Feedback] = (),
) -> Decision:
    """The document of a decision."""
    recipe = batch.recipe
    return Decision(
        batch=batch.id,
        until=batch.end,
        inputs=Inputs(batch.data, recipe.contract, recipe.sql, recipe.estimator, champion),
        window=Window(batch.start, batch.end, batch.rows, batch.labelled_rows),
        champion=champion.version if champion else None,
        decision=answer,
        retrain=answer == "retrain",
        reasons=tuple(reasons),
        would_change=tuple(would_change(answer, signals, policy)),
        feedback=tuple(feedback),
        policy=policy,
        compared=compared,
        signals=tuple(signals),
    )


def against_limits(decision: Decision) -> list[dict[str, str | float | None]]:
    """The signals as shares of their limits, the largest first, for `dvc plots`; no cooldown, which is no excess.

    DVC writes names into a script as they are.
    """
    shares = {
        plain(signal.name): signal.value / signal.limit
        for signal in decision.signals
        if signal.value is not None and signal.limit and signal.signal != "cooldown"
    }
    first = sorted(shares.items(), key=lambda pair: -pair[1])[:MOST_PLOTTED]
    return [{"signal": name, "share_of_limit": share} for name, share in first] or [dict.fromkeys(PLOTTED)]


def numbers(decision: Decision) -> dict[str, float]:
    """A decision as numbers: whether it retrains, the rows, and every signal that has a number by its name."""
    signals = {signal.name: signal.value for signal in decision.signals if signal.value is not None}
    rows = {"rows": decision.window.rows, "labelled_rows": decision.window.labelled_rows}
    return {"retrain": int(decision.retrain), **rows, **signals}
