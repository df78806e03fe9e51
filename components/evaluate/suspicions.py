"""Features that tell the label by being filled, alone, or two together, as a leak does: for a person to check.

The check `leak` refuses a single feature that explains the label.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, islice

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.components.evaluate.leaks import Columns, columns_of, spread
from tidegate.scoring.scores import Labels, Vector, model_input

MOST_ROWS = 2000  # half of them teach, half of them test
LEAST_ROWS = 100
MOST_PAIRS, MOST_TREES = 5000, 100
MOST_TOLD = 3
MOST_LEAVES, LEAST_LEAF = 32, 10
# Of the label's variance; numbers follow their neighbours more closely than classes do.
ALMOST_ALL, ALMOST_ALL_OF_CLASSES = {"regression": 0.995}, 0.98
PURE = 0.99  # of the rows with or without a value have one class
UNLIKELY = 20.0  # nats: chance would fill a column like this once in 500 million tables
QUESTION = "known before the event?"


def suspicions_of(rows: pd.DataFrame, kinds: Mapping[str, str], label: Labels, task: str) -> list[str]:
    """What to check, in words, of the labelled `rows` in order of time; `kinds` are those of their features.

    A feature is filled for one class only; or a shallow tree or a linear model explains almost all of the label, on
    rows that it did not see, by one feature or by two.
    """
    usable = {name: kind for name, kind in kinds.items() if kind != "words"}
    if len(rows) < LEAST_ROWS or len(np.unique(label)) < 2:
        return []
    inputs = model_input(rows, usable)
    filled = {} if task == "regression" else _filled_for_one_class(inputs, label)
    picked = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(int))
    target = columns_of(label[picked])
    columns = {name: _numbers(inputs[name].iloc[picked], kind, target) for name, kind in usable.items()}
    limit = ALMOST_ALL.get(task, ALMOST_ALL_OF_CLASSES)
    alone = [name for name, column in columns.items() if _by_tree(column[:, None], target) >= limit]
    remaining = {name: column for name, column in columns.items() if name not in {*alone, *filled}}
    suspicions = [
        *(f"{name} is {words}" for name, words in list(filled.items())[:MOST_TOLD]),
        *(f"{name} tells the label almost alone" for name in alone[:MOST_TOLD] if name not in filled),
        *(f"{first} and {second} together tell the label" for first, second in _pairs(remaining, target, limit)),
    ]
    return [f"check this: {words}: {QUESTION}" for words in suspicions]


def _pairs(columns: Mapping[str, Vector], target: Columns, limit: float) -> Sequence[tuple[str, str]]:
    """The pairs that explain the label, the best first; a column of the best is in no other.

    A tree costs more than a linear model: it is asked of the pairs that are nearest by that.
    """
    pairs = islice(combinations(columns, 2), MOST_PAIRS)
    shares = {pair: _by_line(_pair_columns(columns, pair), target) for pair in pairs}
    for pair in sorted(shares, key=lambda pair: -shares[pair])[:MOST_TREES]:
        shares[pair] = max(shares[pair], _by_tree(_pair_columns(columns, pair), target))
    best = sorted((pair for pair in shares if shares[pair] >= limit), key=lambda pair: -shares[pair])
    disjoint: list[tuple[str, str]] = []
    for pair in best:
        if not any(name in earlier for earlier in disjoint for name in pair):
            disjoint.append(pair)
    return disjoint[:MOST_TOLD]


def _pair_columns(columns: Mapping[str, Vector], pair: tuple[str, str]) -> Columns:
    return np.stack([columns[name] for name in pair], axis=1)


def _filled_for_one_class(inputs: pd.DataFrame, label: Labels) -> dict[str, str]:
    """The features that have, or lack, a value almost only where the label is of one class, with that in words."""
    features = {}
    for name in inputs:
        filled = inputs[name].notna().to_numpy()
        for rows, words in ((filled, "filled"), (~filled, "empty")):
            if (value := _one_class(label, rows)) is not None:
                features[str(name)] = f"{words} almost only where the label is {_word(value)}"
                break
    return features


def _one_class(label: Labels, rows: npt.NDArray[np.bool_]) -> str | float | None:
    """The class of almost all of these rows, where that is no chance."""
    count = int(rows.sum())
    if not LEAST_LEAF <= count < len(rows):
        return None
    values, counts = np.unique(label[rows], return_counts=True)
    commonest: str | float = values[counts.argmax()]
    usual = float((label == commonest).mean())
    pure = counts.max() >= PURE * count and usual < PURE
    return commonest if pure and -count * np.log(usual) > UNLIKELY else None


def _word(value: str | float) -> str:
    return str(value) if isinstance(value, str) else "true" if value else "false"


def _numbers(column: pd.Series, kind: str, target: Columns) -> Vector:
    """A feature as numbers; categories in the order of the label's mean in the rows that teach."""
    if kind == "number":
        return np.asarray(column, dtype=np.float64)
    code = pd.Series(target @ np.arange(1, target.shape[1] + 1), index=column.index)
    taught = _teach(len(column))
    of_value = code[taught].groupby(column[taught].to_numpy()).agg(["mean", "count"])
    means = of_value.loc[of_value["count"] >= LEAST_LEAF, "mean"]
    return np.asarray(column.map(means), dtype=np.float64)


def _by_line(values: Columns, target: Columns) -> float:
    """The share that a linear model explains, of rows where all of the features are filled."""
    filled = np.isfinite(values).all(axis=1)
    if filled.sum() < max(LEAST_ROWS, len(values) / 2):
        return 0.0
    values, target = values[filled], target[filled]
    width = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(width > 0, width, 1.0)
    inputs, taught = np.column_stack([scaled, np.ones(len(scaled))]), _teach(len(scaled))
    weights = np.linalg.lstsq(inputs[taught], target[taught], rcond=None)[0]
    return _share(target[~taught], inputs[~taught] @ weights)


def _by_tree(values: Columns, target: Columns) -> float:
    """The share that a tree of a few leaves explains, which also sees the difference of two features."""
    from sklearn.tree import DecisionTreeRegressor

    inputs = np.column_stack([values, values[:, 0] - values[:, 1]]) if values.shape[1] == 2 else values
    taught = _teach(len(inputs))
    inputs = inputs[:, ~np.isnan(inputs[taught]).all(axis=0)]
    if not inputs.shape[1]:
        return 0.0
    tree = DecisionTreeRegressor(max_leaf_nodes=MOST_LEAVES, min_samples_leaf=LEAST_LEAF, random_state=0)
    predicted = tree.fit(inputs[taught], target[taught]).predict(inputs[~taught])
    return _share(target[~taught], predicted.reshape(target[~taught].shape))


def _share(target: Columns, predicted: Columns) -> float:
    whole = spread(target - target.mean(axis=0))
    return 1 - spread(target - predicted) / whole if whole else 0.0


def _teach(rows: int) -> npt.NDArray[np.bool_]:
    """Every other row: both halves are of all times."""
    return np.asarray(np.arange(rows) % 2 == 0)
