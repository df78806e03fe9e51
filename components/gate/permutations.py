"""Labellings: which blocks belong to the batch, in truth and when blocks change sides."""

from math import comb

import numpy as np
import pandas as pd

from tidegate.components.gate.columns import Places
from tidegate.components.gate.counts import Labellings, Matrix

LEAST_BLOCKS = 2


class Sides:
    """Both frames under each other, and the block of each row: those of the reference first."""

    def __init__(
        self, reference: pd.DataFrame, batch: pd.DataFrame, reference_blocks: pd.Series, batch_blocks: pd.Series
    ) -> None:
        before, now = (
            pd.factorize(blocks.to_numpy(), sort=True)[0].astype(np.int64)
            for blocks in (reference_blocks, batch_blocks)
        )
        self.reference, self.batch = reference, batch
        first = int(before.max(initial=-1)) + 1
        self.places: Places = np.concatenate([before, now + first])
        self.moved = int(now.max(initial=-1)) + 1
        self.count = first + self.moved
        self.true = np.arange(self.count) >= first
        self._drawn: dict[bytes, Labellings] = {}

    def keys(self, count: int, seed: int) -> Matrix:
        """An order of the blocks per relabelling: the batch's come first. The true labelling is one of them."""
        keys = np.random.default_rng(seed).random((count, self.count))
        keys[0] = ~self.true
        return keys

    def labellings(self, keys: Matrix, places: Places, rate: float) -> Labellings:
        """Which blocks each relabelling puts into the batch, of those in which there are rows, and always as many.

        Only the true one, if there are too few blocks to tell anything at the rate.
        """
        present = np.bincount(places, minlength=self.count) > 0
        moved, pattern = int((self.true & present).sum()), present.tobytes()
        stay = int(present.sum()) - moved
        if min(moved, stay) < LEAST_BLOCKS or comb(moved + stay, moved) < 2 / rate:
            return self.true[None]
        if pattern not in self._drawn:
            first = np.argpartition(np.where(present, keys, 2.0), moved - 1, axis=1)[:, :moved]
            self._drawn[pattern] = np.zeros(keys.shape, dtype=bool)
            np.put_along_axis(self._drawn[pattern], first, True, axis=1)
        return self._drawn[pattern]
