"""The golden rows of a version: rows of its reference sample, and what it predicted for them in training."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.rollout.doors import Answer, Instances
from tidegate.scoring.scores import differing
from tidegate.tracking.champion import Champion

MOST_ROWS = 200
ROWS_AT_ONCE = 20


@dataclass(frozen=True)
class Question:
    """Rows that are asked at once, and the right answers."""

    instances: Instances
    expected: npt.NDArray[Any]

    def wrong(self, answer: Answer) -> int:
        """How many predictions are others than in training."""
        predictions: npt.NDArray[Any] = np.empty(len(answer.predictions), self.expected.dtype)
        try:
            predictions[:] = answer.predictions
        except (ValueError, TypeError):  # of another kind
            return len(self.expected)
        return differing(self.expected, predictions)


@dataclass(frozen=True)
class Golden:
    """The golden rows of a version of a model."""

    model: str
    version: str
    questions: Sequence[Question]

    def endless(self) -> "cycle[Question]":
        """The questions again and again."""
        return cycle(self.questions)


def golden(champion: Champion) -> Golden:
    """The golden rows of what the registry has of a version."""
    columns = champion.golden(MOST_ROWS)
    expected = champion.reference["prediction"].head(MOST_ROWS).to_numpy()
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    questions = [
        Question(rows[first : first + ROWS_AT_ONCE], expected[first : first + ROWS_AT_ONCE])
        for first in range(0, len(rows), ROWS_AT_ONCE)
    ]
    return Golden(champion.contract.name, champion.version, questions)
