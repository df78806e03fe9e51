"""The losses of every model on the same rows, and how the challenger's differ from the others'."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tidegate.components.evaluate.checks import Size, against_baseline, against_champion, in_slices, needed
from tidegate.components.evaluate.contestants import BASELINES
from tidegate.components.evaluate.notes import gain_note, linear_note
from tidegate.components.evaluate.paired_difference import Difference, difference
from tidegate.components.evaluate.slices import SliceDifference, slice_differences, slice_results
from tidegate.documents.verdict import CheckResult, ModelName, Needed, SliceResult
from tidegate.scoring.scores import Vector, mean
from tidegate.scoring.slices import Rows
from tidegate.scoring.tasks import Task


@dataclass(frozen=True)
class Comparison:
    """The losses of each model, row by row; `slices` are the rows of each slice by its name.

    Intervals come from resampled `blocks`; `margin` is how much worse than its rival the challenger may be, `days` how
    long the batch is.
    """

    losses: Mapping[ModelName, Vector]
    blocks: pd.Series
    weight: Vector | None
    seed: int
    task: Task
    margin: float
    slices: Mapping[str, Rows]
    days: float

    @property
    def rival(self) -> ModelName:
        """The model that the challenger is compared with in each slice."""
        return "champion" if "champion" in self.losses else "dummy"

    @property
    def loss_error(self) -> float:
        """The standard error of the challenger's mean loss."""
        challenger = self.losses["challenger"]
        return difference(challenger, np.zeros(len(challenger)), self.blocks, self.seed, self.weight).error

    @property
    def smallest_difference(self) -> float | None:
        """The smallest difference from the champion that the rows could have shown; None without a champion."""
        return self._differences["champion"].smallest if "champion" in self.losses else None

    def checks(self) -> list[CheckResult]:
        """The challenger against the champion, against the baselines, and against its rival in each slice."""
        differences, task = self._differences, self.task
        checks = [against_baseline(name, differences[name], task) for name in BASELINES]
        if "champion" in differences:
            checks.insert(0, against_champion(differences["champion"], self.margin, task, self._size))
        in_each_slice = in_slices(self._slice_differences, self.rival, self.margin, task)
        return checks if in_each_slice is None else [*checks, in_each_slice]

    @property
    def needed(self) -> Needed | None:
        """How much data would tell the challenger from the champion; None where they are told apart, or never."""
        gap = self._differences.get("champion")
        is_decided = gap is None or gap.upper <= self.margin or gap.lower > 0
        return None if gap is None or is_decided else needed(gap, self.margin, self._size)

    def notes(self, estimator: str, importances: Mapping[str, float]) -> list[str]:
        """What is to be known of a challenger with this estimator and these gains of its features."""
        loss = {name: mean(losses, self.weight) for name, losses in self.losses.items()}
        return [
            *gain_note(loss["challenger"], loss["dummy"], importances, self.task),
            *linear_note(self._differences["linear"], self._differences["dummy"], estimator, self.task),
        ]

    def slice_results(self) -> tuple[SliceResult, ...]:
        """Each slice with the losses of all models, and whether the challenger passes there."""
        return slice_results(self.slices, self.losses, self._slice_differences, self.margin, self.weight)

    @property
    def _size(self) -> Size:
        return Size(len(self.blocks), self.days)

    @cached_property
    def _differences(self) -> dict[ModelName, Difference]:
        challenger = self.losses["challenger"]
        return {
            name: difference(challenger, losses, self.blocks, self.seed, self.weight)
            for name, losses in self.losses.items()
            if name != "challenger"
        }

    @cached_property
    def _slice_differences(self) -> dict[str, SliceDifference]:
        gap = self.losses["challenger"] - self.losses[self.rival]
        return slice_differences(self.slices, gap, self.blocks, self.seed, self.weight)
