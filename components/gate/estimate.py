"""The estimate of the champion's loss until labels come, and its own record: what it said of earlier batches.

It falls exactly where the true loss rises if the link between features and label changes, because the champion's
probabilities know nothing of that. So it never keeps the gate shut, and opens it only where a person asks for it.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import t

from tidegate.documents.signal import EstimateDetail, EstimateRecord, Signal, State
from tidegate.scoring.tasks import Task

LEAST_RECORD = 3  # batches, with fewer of which the record allows no interval
MOST_RECORD = 60
LEVEL = 0.95
Interval = tuple[float, float]


def corrected(estimate: float, record: Sequence[EstimateRecord]) -> tuple[float, Interval | None]:
    """The estimate with the mean error of its record, and a prediction interval of 95 % for the true loss.

    The errors of so many batches are taken to be normal and independent. Without a record of three it stays as it is.
    """
    if len(record) < LEAST_RECORD:
        return estimate, None
    errors = np.asarray([entry.loss - entry.estimate for entry in record])
    wide = float(t.ppf((1 + LEVEL) / 2, len(errors) - 1) * errors.std(ddof=1) * np.sqrt(1 + 1 / len(errors)))
    middle = estimate + float(errors.mean())
    return middle, (max(0.0, middle - wide), middle + wide)


def estimated(
    estimate: float,
    labelled: float | None,
    verdict_loss: float,
    record: Sequence[EstimateRecord],
    limit: float,
    task: Task,
) -> Signal:
    """The estimate on the batch, and on its `labelled` rows, against the loss of the verdict; a limit of 0 is none."""
    kept = tuple(record)[-MOST_RECORD:]
    middle, interval = corrected(estimate, kept)
    grown = middle - verdict_loss
    bounds = None if interval is None else (interval[0] - verdict_loss, interval[1] - verdict_loss)
    reason = f"the champion's {task.words} is estimated at {task.text(middle, 3)}{_known(interval, len(kept), task)}"
    reason += f", it was {task.text(verdict_loss, 3)} on the rows it was promoted for"
    state: State = "off" if not limit else "cannot tell" if bounds is None else "shut"
    if bounds is not None and limit and grown > limit and bounds[0] > 0:
        state = "opens"
    detail = EstimateDetail(estimate, labelled, verdict_loss, bounds, kept)
    return Signal("estimated loss", "estimate", state, reason, grown, limit or None, None, detail)


def _known(interval: Interval | None, batches: int, task: Task) -> str:
    """What the record says of the estimate."""
    of = f"{batches} batch{'' if batches == 1 else 'es'} with labels"
    if interval is None:
        return f" (a record of {of} allows no interval)"
    return f" [{task.text(interval[0], 3)}, {task.text(interval[1], 3)}] by its record of {of}"
