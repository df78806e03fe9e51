"""Checks the fitted state of a loaded model: compiled code uses its indices and widths without bounds checks."""

from collections.abc import Callable, Iterator
from typing import Any

from tidegate.models.trees import histogram_fault, tree_fault
from tidegate.process.errors import ModelError

MAX_HASHED = 2**20

Fault = Callable[[Any], str | None]


def check_fitted(model: Any, name: object) -> None:
    """Raise ModelError if an index is out of bounds, or if an attribute hides a method of its class."""
    kinds = _kinds()
    # in reverse, so that parts are checked before the objects that contain them
    for thing in reversed(list(_objects(model))):
        faults = [_hidden_method, *(fault for kind, fault in kinds if isinstance(thing, kind))]
        for fault in faults:
            problem = _answer(fault, thing)
            if problem:
                raise ModelError(f"{name}: {type(thing).__name__}", "a sound fitted state", problem, "train it again")


def _kinds() -> list[tuple[type, Fault]]:
    from sklearn import ensemble, feature_extraction, pipeline, preprocessing, tree

    forests = (ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor,
               ensemble.RandomForestClassifier, ensemble.RandomForestRegressor)  # fmt: skip
    boostings = (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor)
    histograms = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)
    return [
        (tree.BaseDecisionTree, tree_fault),
        *((forest, _forest_fault) for forest in forests),
        *((boosting, _boosting_fault) for boosting in boostings),
        *((histogram, histogram_fault) for histogram in histograms),
        (preprocessing.OneHotEncoder, _encoder_fault),
        (feature_extraction.text.HashingVectorizer, _hashing_fault),
        (pipeline.Pipeline, _pipeline_fault),
    ]


def _objects(model: Any) -> Iterator[Any]:
    """Every object with attributes in a model, containers before their parts."""
    import numpy as np

    waiting = [model]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            waiting.extend(thing.values())
        elif isinstance(thing, (list, tuple)):
            waiting.extend(thing)
        elif isinstance(thing, np.ndarray):
            waiting.extend(thing.ravel() if thing.dtype.hasobject else ())
        elif hasattr(thing, "__dict__") and not isinstance(thing, type):
            yield thing
            waiting.extend(vars(thing).values())


def _answer(fault: Fault, thing: Any) -> str | None:
    try:
        return fault(thing)
    except Exception as error:  # hostile state may raise any exception when it is read
        return f"{type(error).__name__} {ascii(str(error))[1:-1][:100]}"


def _hidden_method(thing: Any) -> str | None:
    hidden = [name for name in vars(thing) if callable(getattr(type(thing), name, None))]
    return f"{hidden[0]} in place of a method" if hidden else None


def _pipeline_fault(model: Any) -> str | None:
    return None if vars(model).get("memory") is None else "a cache folder, which is unpickled"


def _hashing_fault(model: Any) -> str | None:
    """Its parameters could read files and run any regular expression; compiled code divides by its width."""
    from sklearn.feature_extraction.text import HashingVectorizer

    width = model.n_features
    if type(width) is not int or not 0 < width <= MAX_HASHED:
        return f"a width that is not between 1 and {MAX_HASHED}"
    own = {name: value for name, value in vars(model).items() if name != "_stop_words_id"}
    return None if own == vars(HashingVectorizer(n_features=width)) else "parameters that are not the defaults"


def _forest_fault(model: Any) -> str | None:
    """The input is checked against the width of the forest only; every tree reads it without checks."""
    if "estimators_" not in vars(model):
        return None
    width = model.n_features_in_
    sound = type(width) is int and all(_is_tree(part, width) for part in model.estimators_)
    return None if sound else "trees of another width than the forest"


def _boosting_fault(model: Any) -> str | None:
    """The trees of a row write to one output column each; the initial estimator determines the columns."""
    import numpy as np

    if "estimators_" not in vars(model):
        return None
    width = model.n_features_in_
    if type(width) is not int or not all(_is_tree(part, width) for part in model.estimators_.ravel()):
        return "trees of another width than the model"
    initial = model._raw_predict_init(np.zeros((1, width), np.float32))
    return None if initial.shape == (1, model.estimators_.shape[1]) else "more trees in a row than outputs"


def _is_tree(part: Any, width: int) -> bool:
    from sklearn.tree import BaseDecisionTree

    return isinstance(part, BaseDecisionTree) and "tree_" in vars(part) and part.n_features_in_ == width


def _encoder_fault(model: Any) -> str | None:
    """The column indices of its sparse result are not checked against its width."""
    if "categories_" not in vars(model):
        return None
    if model._n_features_outs != model._compute_n_features_outs():
        return "other widths than its categories"
    columns = range(len(model.categories_))
    return next((fault for column in columns if (fault := _column_fault(model, column))), None)


def _column_fault(model: Any, column: int) -> str | None:
    import numpy as np

    categories = model.categories_[column]
    if type(categories) is not np.ndarray or categories.ndim != 1:
        return "categories that are not one-dimensional"
    kind = categories.dtype.kind
    # categories that are not objects are found by bisection
    if kind != "O" and not np.array_equal(categories, np.sort(categories), equal_nan=kind == "f"):
        return "categories out of order"
    dropped = None if model._drop_idx_after_grouping is None else model._drop_idx_after_grouping[column]
    width = model._n_features_outs[column] + (dropped is not None)
    if dropped is not None and not 0 <= dropped < width:
        return "a dropped category out of range"
    mapping = model._default_to_infrequent_mappings[column] if model._infrequent_enabled else None
    if mapping is not None and not (mapping.min() >= 0 and mapping.max() < width):
        return "an infrequent category out of range"
    return None
