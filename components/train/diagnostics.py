"""What training learns about itself on held-out history: the learning curve and the importance of each feature."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from tidegate.components.train.fit import fit
from tidegate.components.train.window import lone_classes, without
from tidegate.contract.contract import Contract
from tidegate.documents.record import LearningPoint
from tidegate.process.errors import InputError
from tidegate.scoring.scores import LEAST_PROBABILITY, labels, least_known, losses, mean, model_input, predict, weights
from tidegate.scoring.tasks import TASKS

SHARES = (0.125, 0.25, 0.5, 1.0)
TAIL_SHARE = 0.2
IMPORTANCE_ROWS = 4000
REPEATS = 3


def split_tail(frame: pd.DataFrame, time: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows in order of time cut into head and tail: the tail is the last fifth, whole moments only."""
    cut = frame[time].iloc[int(len(frame) * (1 - TAIL_SHARE))]
    return frame[frame[time] < cut], frame[frame[time] >= cut]


def learning_curve(
    make: Callable[[], Any],
    head: pd.DataFrame,
    tail: pd.DataFrame,
    promise: Contract,
    features: Mapping[str, str],
    progress: Callable[[str], None],
) -> tuple[list[LearningPoint], Any]:
    """The loss on the tail of models trained on the last eighth, quarter, half and whole of the head.

    Returns the points and the model of the last one; a part that is too small to be learned from has no point.
    """
    task, least = TASKS[promise.task], least_known(len(head))
    points: list[LearningPoint] = []
    model = None
    for share in SHARES:
        rows = head.iloc[-max(1, int(len(head) * share)) :]
        rows = without(rows, promise, lone_classes(rows, promise))
        model = _fitted(make, rows, promise, features, whole=share == 1)
        if model is None:
            continue
        trained, held_out = (_loss(model, part, promise, features, least) for part in (rows, tail))
        points.append(LearningPoint(len(rows), trained, held_out))
        before, after = (task.text(value, 3) for value in (trained, held_out))
        progress(f"{len(rows):>9,} rows: {task.words} {before} on them, {after} on the {len(tail):,} rows after")
    return points, model


def _fitted(
    make: Callable[[], Any], rows: pd.DataFrame, promise: Contract, features: Mapping[str, str], whole: bool
) -> Any:
    """A model of the rows, None where they say nothing; what a part of them cannot be used for, the whole may."""
    if rows[promise.label].nunique() < 2:
        return None
    target = labels(rows, promise.label, promise.task)
    try:
        return fit(make(), model_input(rows, features), target, weights(rows, promise.weight))
    except InputError:
        if whole:
            raise
        return None


def _loss(model: Any, rows: pd.DataFrame, promise: Contract, features: Mapping[str, str], least: float) -> float:
    label = labels(rows, promise.label, promise.task)
    row_losses = losses(label, predict(model, rows, features, promise.task), promise.task, least)
    return mean(row_losses, weights(rows, promise.weight))


def importances(
    model: Any,
    tail: pd.DataFrame,
    promise: Contract,
    features: Mapping[str, str],
    seed: int,
    least: float = LEAST_PROBABILITY,
) -> dict[str, float]:
    """How much the loss on held-out rows grows when one feature is permuted, the largest first."""
    from sklearn.inspection import permutation_importance

    rows = tail.sample(min(len(tail), IMPORTANCE_ROWS), random_state=seed)
    if model is None or rows[promise.label].nunique() < 2:
        return dict.fromkeys(features, 0.0)
    inputs, names = model_input(rows, features), list(features)
    if promise.task != "multiclass" and _has_a_column_each(model[0], features):
        # Encoded once: to permute the column is to permute the feature.
        names = list(model[0].get_feature_names_out())
        model, inputs = model[-1], model[0].transform(inputs)
    gains = permutation_importance(
        model,
        inputs,
        labels(rows, promise.label, promise.task),
        scoring={"binary": "neg_log_loss", "regression": "neg_mean_squared_error"}.get(
            promise.task, partial(_gain, features, least)
        ),
        n_repeats=REPEATS,
        random_state=seed,
        sample_weight=weights(rows, promise.weight),
    ).importances_mean
    gain = dict(zip(names, gains.tolist(), strict=True))
    return {name: gain[name] for name in sorted(features, key=lambda name: -gain[name])}


def _has_a_column_each(encoder: Any, features: Mapping[str, str]) -> bool:
    """Whether each feature becomes one column; of words the encoder cannot name its columns."""
    return "words" not in features.values() and sorted(encoder.get_feature_names_out()) == sorted(features)


def _gain(
    features: Mapping[str, str], least: float, model: Any, inputs: pd.DataFrame, target: Any, sample_weight: Any = None
) -> float:
    """The mean log loss of many classes, negative; scikit-learn's own refuses rows that lack one of the classes."""
    predicted = predict(model, inputs, features, "multiclass")
    return -mean(losses(target, predicted, "multiclass", least), sample_weight)
