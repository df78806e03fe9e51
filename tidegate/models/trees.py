"""Checks trees as arrays of nodes: every child index is after its parent and in bounds, every feature index too."""

from typing import Any


def tree_fault(estimator: Any) -> str | None:
    """The fault of a decision tree, None if it is sound or not fitted."""
    from sklearn.tree._tree import Tree

    if "tree_" not in vars(estimator):
        return None
    tree, width = estimator.tree_, estimator.n_features_in_
    if type(tree) is not Tree or type(width) is not int or tree.n_features != width:
        return "a tree of another width than its estimator"
    if not tree.value.size:
        return "leaves without values"
    inner = tree.children_left != -1
    fault = _index_fault(tree.children_left[inner], tree.children_right[inner], tree.feature[inner], inner, width)
    if fault or not (tree.children_right[~inner] == -1).all():
        return fault or "a leaf with a child"
    return None if _depth(tree.children_left, tree.children_right) <= tree.max_depth else "a tree deeper than declared"


def histogram_fault(model: Any) -> str | None:
    """The fault of a HistGradientBoosting model, None if it is sound or not fitted."""
    state = vars(model)
    if "_predictors" not in state:
        return None
    if state.get("_preprocessor") is not None or state.get("_in_fit") or type(state.get("n_features_in_")) is not int:
        return "a width that is not checked"
    if fault := _mapper_fault(model._bin_mapper, model.n_features_in_):
        return fault
    categorical = model._bin_mapper.is_categorical_
    predictors = (predictor for iteration in model._predictors for predictor in iteration)
    return next((fault for each in predictors if (fault := _predictor_fault(each, categorical))), None)


def _mapper_fault(mapper: Any, width: int) -> str | None:
    """Compiled code sets the known categories of each categorical column in a bitset of 256 bits."""
    import numpy as np

    categorical, thresholds = mapper.is_categorical_, mapper.bin_thresholds_
    if type(categorical) is not np.ndarray or categorical.dtype != np.uint8 or categorical.shape != (width,):
        return "categorical columns of another width"
    if len(thresholds) != width:
        return "categories of another width"
    values = [value for column in np.flatnonzero(categorical) for value in thresholds[column]]
    return None if all(0 <= value <= 255 for value in values) else "a category out of range"


def _predictor_fault(predictor: Any, categorical: Any) -> str | None:
    import numpy as np
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    if type(predictor) is not TreePredictor or type(predictor.nodes) is not np.ndarray:
        return "a predictor of another type"
    nodes = predictor.nodes
    if nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1 or not len(nodes):
        return "nodes of another kind"
    inner = nodes["is_leaf"] == 0
    split = nodes[inner]
    fault = _index_fault(split["left"], split["right"], split["feature_idx"], inner, len(categorical))
    return fault or _bitset_fault(predictor.raw_left_cat_bitsets, split, categorical)


def _bitset_fault(bitsets: Any, split: Any, categorical: Any) -> str | None:
    """Each categorical split has its own bitset: 256 bits in 8 words."""
    import numpy as np

    if type(bitsets) is not np.ndarray or bitsets.dtype != np.uint32 or bitsets.ndim != 2 or bitsets.shape[1] != 8:
        return "bitsets of another kind"
    by_category = split[split["is_categorical"] != 0]
    if not categorical[by_category["feature_idx"]].all():
        return "a categorical split of a numerical column"
    return "a bitset index out of range" if (by_category["bitset_idx"] >= len(bitsets)).any() else None


def _index_fault(left: Any, right: Any, feature: Any, inner: Any, width: int) -> str | None:
    """The fault of `left`, `right` and `feature` of the inner nodes, which the mask `inner` selects from all nodes."""
    import numpy as np

    parents = np.flatnonzero(inner)
    children = np.concatenate([left, right]).astype(np.int64)
    if (children >= len(inner)).any() or (children <= np.tile(parents, 2)).any():
        return "a child index out of range"
    if len(np.unique(children)) != len(children):
        return "a node with two parents"
    return "a feature index out of range" if ((feature < 0) | (feature >= width)).any() else None


def _depth(left: Any, right: Any) -> int:
    """The number of edges from the root to the deepest leaf of a sound tree."""
    import numpy as np

    depth, level = -1, np.zeros(1, np.int64)
    while len(level):
        depth += 1
        level = level[left[level] != -1]
        level = np.concatenate([left[level], right[level]])
    return depth
