"""Histogram gradient boosting for few rows: all trees at once in numpy, where scikit-learn calls each one in turn.

The leaves of a tree are the bits of a number, numbered from left to right. Each split that a row passes on the right
takes away the leaves below its left child, and the lowest bit that stays is the row's leaf (C. Lucchese et al.,
QuickScorer, SIGIR 2015). The leaves are added in scikit-learn's order, one after another: every bit of the sum is the
same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Booleans = npt.NDArray[np.bool_]
WIDTHS = (np.uint8, np.uint16, np.uint32, np.uint64)  # of a number that has a bit for each leaf
MISSING = 256  # the place behind all codes of a category
MOST_COMPARISONS = 150_000  # of rows with splits; with more scikit-learn is as fast


@dataclass(frozen=True)
class BoostedTrees:
    """The splits of all trees, tree by tree, and the values of their leaves, shape (trees, leaves).

    A split looks at a column of the table of `_right`; `stay` are the leaves that stay where the way goes right, and
    `first` is the first split of each tree. The splits `categorical` look at a column of codes instead: `code_right`
    says which go right, shape (splits, 257). `start` is the sum before the first tree, a number for each class.
    """

    estimator: Any
    column: Places
    threshold: Floats
    stay: npt.NDArray[Any]
    first: Places
    categorical: Places
    code_column: Places
    code_right: Booleans
    value: Floats
    start: Floats

    @property
    def most_rows(self) -> int:
        """How many rows are answered faster than by the estimator itself, or one."""
        return max(1, MOST_COMPARISONS // len(self.column))

    def ask(self, rows: Floats) -> Any:
        """What the estimator's own `predict` or `predict_proba` returns."""
        sums, loss = self.sums(rows), self.estimator._loss
        if isinstance(self.estimator, HistGradientBoostingRegressor):
            return loss.link.inverse(sums.ravel())
        return loss.predict_proba(sums)

    def sums(self, rows: Floats) -> Floats:
        """The sums of the leaves, shape (rows, classes); of two classes, and of a regression, there is one."""
        every = self.stay.dtype.type(-1 % 2 ** (8 * self.stay.itemsize))
        left = np.bitwise_and.reduceat(np.where(self._right(rows.T), self.stay[:, None], every), self.first, axis=0)
        leaf = np.frexp((left & (~left + 1)).astype(np.float64))[1].astype(np.intp) - 1
        values = np.take_along_axis(self.value, leaf, axis=1).reshape(-1, len(self.start), len(rows))
        start = np.broadcast_to(self.start[None, :, None], (1, *values.shape[1:]))
        return np.asfortranarray(np.add.accumulate(np.concatenate([start, values]), axis=0)[-1].T)

    def _right(self, columns: Floats) -> Booleans:
        """Whether the way goes right, shape (splits, rows).

        A missing value goes left in the first half of the table, and right in the second, where no comparison holds.
        """
        table = np.concatenate([np.where(np.isnan(columns), -np.inf, columns), columns])
        right = ~(table[self.column] <= self.threshold[:, None])
        if len(self.categorical):
            known = columns[self.code_column]
            codes = np.where(known >= 0, known, MISSING).astype(np.intp)
            right[self.categorical] = np.take_along_axis(self.code_right, codes, axis=1)
        return np.asarray(right)


def boosted_trees(estimator: Any) -> BoostedTrees | None:
    """The trees of a fitted estimator; None if it is of another kind, or a tree has more than 64 leaves."""
    if not isinstance(estimator, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        return None
    trees = [tree for iteration in estimator._predictors for tree in iteration]
    most = max(int(tree.nodes["is_leaf"].sum()) for tree in trees)
    width = next((width for width in WIDTHS if most <= 8 * width().itemsize), None)
    if width is None:
        return None
    split_trees = [_split_tree(tree.nodes) for tree in trees]
    nodes = np.concatenate([each.nodes for each in split_trees])
    below = np.array([leaves for each in split_trees for leaves in each.below_left], width)
    left = [tree.raw_left_cat_bitsets[_bitsets(each.nodes)] for tree, each in zip(trees, split_trees, strict=True)]
    categorical = np.flatnonzero(nodes["is_categorical"])
    column, missing_right = nodes["feature_idx"].astype(np.intp), nodes["missing_go_to_left"] == 0
    return BoostedTrees(
        estimator,
        np.where(missing_right, column + estimator.n_features_in_, column),
        nodes["num_threshold"],
        np.invert(below),
        np.cumsum([0, *(len(each.nodes) for each in split_trees[:-1])]),
        categorical,
        column[categorical],
        _codes_right(estimator, nodes[categorical], np.concatenate(left)),
        np.array([[*each.values, *[0.0] * (most - len(each.values))] for each in split_trees]),
        estimator._baseline_prediction.ravel(),
    )


class _SplitTree(NamedTuple):
    """A tree by its splits, the leaves below the left child of each as bits, and the values of its leaves."""

    nodes: npt.NDArray[Any]
    below_left: Sequence[int]
    values: Sequence[float]


def _split_tree(nodes: npt.NDArray[Any]) -> _SplitTree:
    leaves: list[int] = []
    splits = dict(_splits(nodes, 0, leaves))
    if splits:
        return _SplitTree(nodes[[*splits]], [*splits.values()], nodes["value"][leaves].tolist())
    never = np.zeros(1, nodes.dtype)  # a tree of a single leaf has a split that nothing passes on the right
    never["num_threshold"], never["missing_go_to_left"] = np.inf, 1
    return _SplitTree(never, [0], nodes["value"][leaves].tolist())


def _splits(nodes: npt.NDArray[Any], place: int, leaves: list[int]) -> Iterator[tuple[int, int]]:
    """The splits below a node, each with the leaves below its left child as bits; adds its leaves, left to right."""
    node = nodes[place]
    if node["is_leaf"]:
        leaves.append(place)
        return
    begin = len(leaves)
    yield from _splits(nodes, int(node["left"]), leaves)
    yield place, (1 << len(leaves)) - (1 << begin)
    yield from _splits(nodes, int(node["right"]), leaves)


def _bitsets(nodes: npt.NDArray[Any]) -> Places:
    return np.asarray(nodes["bitset_idx"][nodes["is_categorical"] == 1], np.intp)


def _codes_right(estimator: Any, splits: npt.NDArray[Any], left: npt.NDArray[np.uint32]) -> Booleans:
    """For each split by category and each code, whether it goes right; one that was not learned is a missing one."""
    known, place_of = estimator._bin_mapper.make_known_categories_bitsets()
    known = _bits(known[place_of[splits["feature_idx"]]])
    missing = (splits["missing_go_to_left"] == 0)[:, None]
    return np.concatenate([np.where(_bits(left), False, np.where(known, True, missing)), missing], axis=1)


def _bits(bitsets: npt.NDArray[np.uint32]) -> Booleans:
    """Bitsets of eight words, shape (sets, 8), as shape (sets, 256)."""
    return np.asarray((bitsets[:, :, None] >> np.arange(32, dtype=np.uint32) & 1).reshape(len(bitsets), MISSING) == 1)
