"""The verdict as a document: every check with its number, limit and interval, and the reasons in words; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.components.evaluate.checks import Check
from tidegate.documents.batch import Batch
from tidegate.scoring.tasks import Task

version = 2


def document(
    batch: Batch,
    question: Mapping[str, Any],
    champion: str | None,
    rows: int,
    blocks: int,
    checks: Sequence[Check],
    scores: Mapping[str, Mapping[str, float]],
    slices: Sequence[Mapping[str, Any]],
    task: Task,
    least: float | None = None,
    smallest: float | None = None,
    earlier: int = 0,
    error: float = 0.0,
) -> dict[str, Any]:
    """The verdict as a file (verdict.schema.json); `question` is the challenger's digest and the policy.

    `least` is the probability that a class has at least, where there are many; `smallest` the smallest difference from
    the champion that the rows could have shown; `earlier` how many verdicts were made on some of the same rows before;
    `error` the standard error of the challenger's loss.
    """
    accepted = all(check.passed for check in checks)
    reasons = [check.reason for check in checks if check.passed == accepted]
    return {
        "version": version,
        "batch": batch.id,
        **question,
        "champion": champion,
        "accepted": accepted,
        "reasons": reasons,
        "rows": rows,
        "blocks": blocks,
        "earlier_verdicts": earlier,
        "smallest_difference": smallest,
        "loss": scores["challenger"][task.loss],
        "loss_error": error,
        "checks": [check.document() for check in checks],
        "models": [
            {"model": name, **({"loss": found[task.loss]} if task.loss in found else {}), **found}
            for name, found in scores.items()
        ],
        "slices": list(slices),
        **({"least_probability": least} if least is not None else {}),
    }
