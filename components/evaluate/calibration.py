"""Calibration: how far predictions are from what is observed, on average over tenths of the rows."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.components.evaluate.paired_difference import CONFIDENCE, Difference, resampled
from tidegate.components.evaluate.tenths import places
from tidegate.scoring.scores import Labels, Predictions, Vector, answers


def calibration(
    label: Labels, predicted: Predictions, task: str, blocks: pd.Series, seed: int, weight: Vector | None = None
) -> Difference:
    """The expected calibration error over tenths of the rows in the order of their prediction, with 95 % bounds.

    Of many classes it is that of the most probable one; of a regression it is in standard deviations of the label.
    """
    expected, observed, unit = _expected_and_observed(label, predicted, task)
    size = np.ones(len(observed)) if weight is None else weight
    tenth = places(expected, size)
    gaps = ((observed - expected) * size)[:, None] * (tenth[:, None] == np.unique(tenth))
    columns = np.column_stack([gaps, size])
    error = float(_error(columns.sum(axis=0)[None])[0])
    errors = _error(resampled(columns, blocks, seed))
    # Chance alone makes a calibration error, and a resample adds chance to chance: what it adds is taken off again.
    around = [errors.mean(), *np.quantile(errors, [CONFIDENCE, 1 - CONFIDENCE])]
    middle, low, high = (float(edge) for edge in np.maximum(0.0, 2 * error - np.array(around)) / unit)
    return Difference(middle, low, high, float(errors.std()) / unit)


def _error(sums: npt.NDArray[np.float64]) -> Vector:
    return np.asarray(np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1])


def _expected_and_observed(label: Labels, predicted: Predictions, task: str) -> tuple[Vector, Vector, float]:
    """What was predicted and what was observed of each row, and the unit of their difference."""
    if isinstance(predicted, pd.DataFrame):
        right = np.asarray(answers(predicted).astype(str) == label, dtype=np.float64)
        return np.asarray(predicted.to_numpy().max(axis=1), dtype=np.float64), right, 1.0
    return predicted, label, float(label.std()) or 1.0 if task == "regression" else 1.0
