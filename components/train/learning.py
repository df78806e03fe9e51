"""What training learns about itself on held-out history: the learning curve and the importance of each feature."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from components.scoring import labels, losses, model_input, predict
from components.train.building import fit

shares = (0.125, 0.25, 0.5, 1.0)
tail_share = 0.2
importance_rows = 4000
repeats = 3


def split_tail(frame: pd.DataFrame, time: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows in order of time cut into head and tail: the tail is the last fifth, whole moments only."""
    cut = frame[time].iloc[int(len(frame) * (1 - tail_share))]
    return frame[frame[time] < cut], frame[frame[time] >= cut]


def learning_curve(
    make: Callable[[], Any],
    head: pd.DataFrame,
    tail: pd.DataFrame,
    label: str,
    features: Mapping[str, str],
    progress: Callable[[str], None],
) -> tuple[list[dict[str, float]], Any]:
    """The loss on the tail of models trained on the last eighth, quarter, half and whole of the head.

    Returns the points and the model of the last one.
    """
    points: list[dict[str, float]] = []
    model = None
    for share in shares:
        rows = head.iloc[-max(1, int(len(head) * share)) :]
        if rows[label].nunique() < 2:
            continue
        model = fit(make(), model_input(rows, features), labels(rows, label))
        known, held_out = (
            float(losses(labels(part, label), predict(model, part, features)).mean()) for part in (rows, tail)
        )
        points.append({"rows": len(rows), "train_loss": known, "held_out_loss": held_out})
        progress(f"{len(rows):>9,} rows: log loss {known:.3f} on them, {held_out:.3f} on the {len(tail):,} rows after")
    return points, model


def importances(
    model: Any, tail: pd.DataFrame, label: str, features: Mapping[str, str], seed: int
) -> dict[str, float]:
    """How much the log loss (nats) on held-out rows grows when one feature is permuted, the largest first."""
    from sklearn.inspection import permutation_importance

    rows = tail.sample(min(len(tail), importance_rows), random_state=seed)
    if model is None or rows[label].nunique() < 2:
        return dict.fromkeys(features, 0.0)
    found = permutation_importance(
        model,
        model_input(rows, features),
        labels(rows, label),
        scoring="neg_log_loss",
        n_repeats=repeats,
        random_state=seed,
    ).importances_mean
    order = np.argsort(-found, kind="stable")
    names = list(features)
    return {names[index]: float(found[index]) for index in order}
