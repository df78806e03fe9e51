"""The page of a verdict."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

from tidegate.components.evaluate.panel import Panel
from tidegate.components.evaluate.pictures import CHECKS_OF_LOSSES, distributions, intervals
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.documents.verdict import SliceResult, Verdict
from tidegate.pages.page import write_page
from tidegate.scoring.tasks import LOWER_IS_BETTER, TASKS, display

MOST_SLICES = 100


def write_verdict(path: Path, contract: Contract, batch: Batch, verdict: Verdict, panels: Sequence[Panel]) -> None:
    """Write a verdict with its pictures for people."""
    comparison = verdict.shadow.comparison if verdict.shadow else None
    write_page(
        path,
        Path(__file__).with_name("report.html"),
        f"{contract.name}: verdict",
        name=contract.name,
        batch=batch,
        verdict=verdict,
        task=TASKS[contract.task],
        lower_is_better=LOWER_IS_BETTER,
        formatted=display,
        panels=panels,
        kind=contract.task,
        weight=contract.weight,
        differences=intervals(verdict.checks),
        of_losses=CHECKS_OF_LOSSES,
        slices=closest(verdict.slices),
        distributions=distributions(comparison) if comparison else None,
    )


def closest(slices: Sequence[SliceResult]) -> list[SliceResult]:
    """The slices that a page has room for, in their order: those that come closest to being refused."""
    bounds = [item.interval[0] if item.interval else -inf for item in slices]
    picked = sorted(range(len(slices)), key=lambda index: (-bounds[index], index))[:MOST_SLICES]
    return [slices[index] for index in sorted(picked)]
