"""Why a prediction is what it is: how much each feature adds to it, against rows that the version learned from.

Shapley values of the prediction, estimated by permutations (Štrumbelj and Kononenko, 2014): a row of the reference
sample turns into the asked row, one feature at a time, in a random order and in its reverse. What the prediction
changes by at each feature, on average, is what that feature contributes. The contributions of a row and the base add
up to its prediction; they are exact where features are added up, and where not more than two of them act together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.scoring.scores import Predictions
from tidegate.serving.encoding import Columns

METHOD = "permutation"
SEED = 0  # the same question has the same answer


@dataclass(frozen=True)
class Explanation:
    """Of each row the mean prediction of the background, and what each feature adds to it; of many classes, to the
    probability of the predicted class.
    """

    base: list[float]
    contributions: Mapping[str, list[float]]

    def rows(self) -> list[dict[str, Any]]:
        """One object for each row."""
        features = pd.DataFrame(self.contributions).to_dict("records")
        return [
            {"method": METHOD, "base": base, "contributions": of_row}
            for base, of_row in zip(self.base, features, strict=True)
        ]


def explanation(
    predict: Callable[[Columns], Predictions], background: Columns, features: Columns, classes: Sequence[Any] | None
) -> Explanation:
    """The contributions of the features to each prediction, against the rows of `background`.

    `classes` are the predicted ones, None where a prediction is one number.
    """
    rows = len(next(iter(features.values())))
    places = _places(len(features), len(next(iter(background.values()))))
    explained = [
        _of_row(predict, {name: values[row] for name, values in features.items()}, background, places, class_)
        for row, class_ in enumerate(classes or [None] * rows)
    ]
    contributions = np.array([gains for _, gains in explained]).T.tolist()
    return Explanation([base for base, _ in explained], dict(zip(features, contributions, strict=True)))


def _places(features: int, rows: int) -> npt.NDArray[np.intp]:
    """For each row of the background, twice, the place of each feature in the order in which features turn."""
    random = np.random.default_rng(SEED)
    forth = np.array([random.permutation(features) for _ in range(rows)])
    return np.concatenate([forth, features - 1 - forth])


def _of_row(
    predict: Callable[[Columns], Predictions],
    row: Mapping[str, Any],
    background: Columns,
    places: npt.NDArray[np.intp],
    class_: Any,
) -> tuple[float, list[float]]:
    """The base of one row and its contributions, in the order of the features."""
    steps = np.arange(len(row) + 1)
    columns = {}
    for number, (name, value) in enumerate(row.items()):
        known = np.tile(_objects(background[name]), 2)[:, None]
        columns[name] = np.where(places[:, number, None] < steps, _objects([value]), known).ravel()
    predicted = predict(columns)
    chosen = predicted[class_] if isinstance(predicted, pd.DataFrame) else predicted
    paths = np.asarray(chosen, np.float64).reshape(len(places), len(steps))
    gains = np.take_along_axis(np.diff(paths, axis=1), places, axis=1)
    return float(paths[:, 0].mean()), gains.mean(axis=0).tolist()


def _objects(values: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """Values that numpy leaves as they are."""
    objects = np.empty(len(values), object)
    objects[:] = values
    return objects
