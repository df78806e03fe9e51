"""The page of a decision: what a reviewer opens first."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tidegate.components.gate import standing
from tidegate.components.gate.pictures import Picture, mattering
from tidegate.documents.decision import Answer, Decision, Signal, State
from tidegate.pages.page import write_page
from tidegate.tracking.decisions import PastDecision

MOST_ROWS = 40
SENTENCES: Mapping[Answer, str] = {
    "retrain": "The gate is open: retrain",
    "keep": "The gate is shut: keep the champion",
    "cannot tell": "Cannot tell: keep the champion",
}
COLORS: Mapping[Answer, str] = {"retrain": "open", "keep": "good", "cannot tell": "quiet"}
STATES: Mapping[State, str] = {
    "opens": "opens the gate",
    "shut": "within its limit",
    "holds": "holds the gate shut",
    "told": "named, never opens",
    "cannot tell": "cannot tell",
    "ignored": "ignored on a person's word",
    "off": "switched off",
}
OVER = "over"  # of a cooldown, the one limit that opens nothing by being passed


def _word(signal: Signal) -> str:
    """What is said of a signal's state."""
    if signal.state == "shut" and signal.signal == "cooldown":
        return OVER
    if signal.state == "shut" and signal.limit is None:
        return "opens nothing"
    return STATES[signal.state]


def write_decision(
    path: Path,
    name: str,
    decision: Decision,
    pictures: Mapping[str, Picture],
    past: Sequence[PastDecision],
) -> None:
    """Write the page of a decision about the problem `name`.

    `pictures` are those of tidegate.components.gate.pictures, `past` the earlier batches, the oldest first.
    """
    matter = mattering(decision.signals)
    others = [signal for signal in decision.signals if signal.signal == "features" and signal not in matter]
    write_page(
        path,
        Path(__file__).with_name("report.html"),
        f"{name}: gate",
        name=name,
        decision=decision,
        sentence=SENTENCES[decision.decision],
        color=COLORS[decision.decision],
        word=_word,
        over=OVER,
        signals=[signal for signal in decision.signals if signal.signal != "features"],
        matter=matter,
        others=others[:MOST_ROWS],
        left_out=max(0, len(others) - MOST_ROWS),
        pictures=pictures,
        quality=standing.quality(decision, past),
        strips=standing.strips(decision, past),
        scale=standing.SCALE,
        past=past,
    )
