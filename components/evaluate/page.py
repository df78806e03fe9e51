"""The page of a verdict."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.contract import Contract
from components.evaluate.pictures import differences, of_losses
from components.page import write_page
from components.tasks import lower_is_better, shown, tasks


def write_verdict(
    path: Path,
    contract: Contract,
    batch: Mapping[str, Any],
    answer: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]],
) -> None:
    """Write a verdict with its pictures for people."""
    write_page(
        path,
        "evaluate",
        f"{contract.name}: verdict",
        name=contract.name,
        batch=batch,
        verdict=answer,
        task=tasks[contract.task],
        lower_is_better=lower_is_better,
        shown=shown,
        panels=pictures,
        kind=contract.task,
        weight=contract.weight,
        differences=differences(answer["checks"]),
        of_losses=of_losses,
    )
