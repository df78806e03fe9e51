"""Evidently's distances, from the rows of batch and reference that have each value: (labellings, values)."""

from functools import partial

import numpy as np

from tidegate.components.gate.counts import Formula, Matrix
from tidegate.scoring.scores import Vector


def area(widths: Vector, batch: Matrix, reference: Matrix) -> Vector:
    """The area between the two cumulative distributions."""
    batch /= batch[:, -1:]
    reference /= reference[:, -1:]
    batch -= reference
    return np.asarray(np.einsum("ij,j->i", np.abs(batch, out=batch)[:, :-1], widths))


def _shares(batch: Matrix, reference: Matrix) -> tuple[Matrix, Matrix]:
    return batch / batch.sum(axis=1, keepdims=True), reference / reference.sum(axis=1, keepdims=True)


def jensenshannon(batch: Matrix, reference: Matrix) -> Vector:
    """The Jensen-Shannon distance, in nats."""
    now, before = _shares(batch, reference)
    middle = (now + before) / 2
    divergence = _entropy(now, middle) + _entropy(before, middle)
    return np.asarray(np.sqrt(np.maximum(divergence / 2, 0.0)))


def _entropy(share: Matrix, middle: Matrix) -> Vector:
    return np.asarray((share * np.log(np.where(share > 0, share / middle, 1.0))).sum(axis=1))


def hellinger(factors: Vector, batch: Matrix, reference: Matrix) -> Vector:
    """The Hellinger distance; `factors` weigh the values."""
    now, before = _shares(batch, reference)
    return np.asarray(np.sqrt(1 - np.clip((np.sqrt(now * before) * factors).sum(axis=1), 0.0, 1.0)))


def psi(batch: Matrix, reference: Matrix) -> Vector:
    """The population stability index."""
    now, before = (_filled(side) for side in _shares(batch, reference))
    return np.asarray(((before - now) * np.log(before / now)).sum(axis=1))


def _filled(share: Matrix) -> Matrix:
    """What Evidently puts in the place of 0: a small share, far below the least that is there."""
    least = np.where(share > 0, share, np.inf).min(axis=1, keepdims=True)
    return np.where(share > 0, share, np.where(least <= 0.0001, least / 10**6, 0.0001))


FORMULAS: dict[str, Formula] = {
    "jensenshannon": jensenshannon,
    "hellinger": partial(hellinger, np.ones(1)),
    "psi": psi,
}
