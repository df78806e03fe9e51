"""What the pages of the gate say of a decision and of the state of a signal."""

from collections.abc import Mapping

from tidegate.components.gate.decision import beyond, certainty
from tidegate.documents.decision import Answer, ComparedRows
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

SENTENCES: Mapping[Answer, str] = {
    "retrain": "The gate is open: retrain",
    "keep": "The gate is shut: keep the champion",
    "cannot tell": "Cannot tell: keep the champion",
}
COLORS: Mapping[Answer, str] = {"retrain": "open", "keep": "good", "cannot tell": "quiet"}
STATES: Mapping[State, str] = {
    "opens": "opens the gate",
    "shut": "opens nothing",
    "holds": "holds the gate shut",
    "named": "named, never opens",
    "cannot tell": "cannot tell",
    "ignored": "ignored on a person's word",
    "off": "switched off",
}
ROWS: Mapping[ComparedRows, str] = {
    "all rows": ", labelled or not; of label and loss, labelled rows with labelled rows",
    "labelled rows": ", labelled rows only, as this champion’s reference sample holds no others",
    "labelled rows with all rows": ", labelled rows with all rows of the batch",
}
OVER = "over"  # of a cooldown, the one limit that opens nothing by being passed


def word(signal: Signal) -> str:
    """What is said of a signal's state; of one that is shut, which of the two limits holds, size or chance."""
    if signal.state != "shut" or signal.limit is None:
        return STATES[signal.state]
    if signal.signal == "cooldown":
        return OVER
    certain = certainty(signal)
    if certain is None:
        return "within its limit"
    size = "beyond its limit" if beyond(signal) else "within its limit"
    chance = "beyond chance" if certain > 1 else "within chance"
    return f"{size}, {'but' if beyond(signal) or certain > 1 else 'and'} {chance}"


def certain_words(signal: Signal) -> str:
    """What chance alone does with a signal; empty where it has no part in it."""
    match signal.detail:
        case (
            DriftDetail(score=float(score), chance=float(chance))
            | SliceDriftDetail(slices=(SliceDrift(score=float(score), chance=float(chance)), *_))
        ):
            return f"drift {score:.3g}, chance {chance:.3g}"
        case TogetherDetail(area=area, chance=float(chance)):
            return f"AUC {area:.3g}, chance {chance:.3g}"
        case (
            DecayDetail(interval=(low, high))
            | EstimateDetail(interval=(low, high))
            | SliceDecayDetail(slices=(SliceDecay(interval=(low, high)), *_))
        ):
            return f"{low:.2g} to {high:.2g}".replace("-", "−")
    return ""
