"""The page of a verdict."""

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from tidegate.components.evaluate.pictures import differences, of_losses
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.pages.page import write_page
from tidegate.scoring.tasks import LOWER_IS_BETTER, TASKS, display

most_slices = 100


def write_verdict(
    path: Path,
    contract: Contract,
    batch: Batch,
    answer: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]],
) -> None:
    """Write a verdict with its pictures for people."""
    write_page(
        path,
        Path(__file__).with_name("report.html"),
        f"{contract.name}: verdict",
        name=contract.name,
        batch=batch,
        verdict=answer,
        task=TASKS[contract.task],
        lower_is_better=LOWER_IS_BETTER,
        shown=display,
        panels=pictures,
        kind=contract.task,
        weight=contract.weight,
        differences=differences(answer["checks"]),
        of_losses=of_losses,
        slices=closest(answer["slices"]),
    )


def closest(slices: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The slices that a page has room for, in their order: those that come closest to being refused."""
    bounds = [found["interval"][0] if found["interval"] else -inf for found in slices]
    picked = sorted(range(len(slices)), key=lambda at: (-bounds[at], at))[:most_slices]
    return [slices[at] for at in sorted(picked)]
