"""The page of a decision: what a reviewer opens first."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tidegate.components.gate import standing
from tidegate.components.gate.decision import certainty
from tidegate.components.gate.pictures import Picture, leading_signals
from tidegate.components.gate.words import COLORS, OVER, ROWS, SENTENCES, certain_words, word
from tidegate.documents.decision import Decision
from tidegate.documents.signal import EstimateDetail, Signal, SliceDecayDetail, SliceDriftDetail, TogetherDetail
from tidegate.pages.page import write_page
from tidegate.tracking.decisions import PastDecision

MOST_ROWS = 40
MOST_SLICES = 20


def write_decision(
    path: Path,
    name: str,
    decision: Decision,
    pictures: Mapping[str, Picture],
    past: Sequence[PastDecision],
    subject: str = "batch",
    evidently: bool = True,
) -> None:
    """Write the page of a decision about the problem `name`.

    `pictures` are those of tidegate.components.gate.pictures, `past` the earlier batches, the oldest first; `subject`
    is what was decided about, `evidently` whether Evidently's report lies beside the page.
    """
    matter = leading_signals(decision.signals)
    others = [signal for signal in decision.signals if signal.signal == "features" and signal not in matter]
    write_page(
        path,
        Path(__file__).with_name("report.html"),
        f"{name}: gate",
        name=name,
        decision=decision,
        sentence=SENTENCES[decision.decision],
        color=COLORS[decision.decision],
        word=word,
        certainty=certainty,
        certain_words=certain_words,
        over=OVER,
        parameters=asdict(decision.policy),
        joint=_detailed(decision, TogetherDetail),
        slices=_detailed(decision, SliceDriftDetail),
        slice_losses=_detailed(decision, SliceDecayDetail),
        estimate=_detailed(decision, EstimateDetail, off=True),
        most_slices=MOST_SLICES,
        signals=[signal for signal in decision.signals if signal.signal != "features" and _has_row(signal)],
        matter=matter,
        others=others[:MOST_ROWS],
        left_out=max(0, len(others) - MOST_ROWS),
        pictures=pictures,
        population=ROWS[decision.compared.population] if decision.compared else "",
        quality=standing.quality(decision, past),
        estimates=standing.estimates(decision),
        strips=standing.strips(decision, past),
        scale=standing.SCALE,
        past=past,
        subject=subject,
        evidently=evidently,
    )


def _has_row(signal: Signal) -> bool:
    """Whether a signal stands in the table: an estimate that opens nothing is shown beside its record alone."""
    return not (isinstance(signal.detail, EstimateDetail) and signal.state == "off")


def _detailed(decision: Decision, kind: type, off: bool = False) -> Signal | None:
    """The signal with a detail of this kind; None without one, or if it is `off` and that is not asked for."""
    detailed = (signal for signal in decision.signals if isinstance(signal.detail, kind))
    return next((signal for signal in detailed if off or signal.state != "off"), None)
