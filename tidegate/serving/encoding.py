"""The encoding of a fitted pipeline without pandas: the same input for its estimator, in a tenth of the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.scoring.scores import WIDEST, Predictions, checked, predict
from tidegate.serving.boosted_trees import BoostedTrees, boosted_trees

UNKNOWN = "\x00 a category that no encoder has seen"
Columns = Mapping[str, Sequence[Any] | npt.NDArray[Any]]


@dataclass(frozen=True)
class Encoding:
    """The codes of each category in the order of the estimator's columns, then the numbers as they are.

    `trees` are those of the estimator, which answer a few rows faster.
    """

    estimator: Any
    codes: Mapping[str, Mapping[str | None, float]]
    unknown: Mapping[str, float]
    numbers: tuple[str, ...]
    trees: BoostedTrees | None = None

    def predict(self, columns: Columns, task: str) -> Predictions:
        """What the whole pipeline predicts of features in columns."""
        return self.answer(self._encoded(columns), task)

    def answer(self, encoded: npt.NDArray[np.float64], task: str) -> Predictions:
        """What the estimator predicts of its own input."""
        if self.trees and len(encoded) <= self.trees.most_rows:
            return checked(self.estimator, self.trees.ask(encoded), task)
        ask = self.estimator.predict if task == "regression" else self.estimator.predict_proba
        return checked(self.estimator, ask(encoded), task)

    def with_trees(self, columns: Columns) -> Self:
        """The same with the estimator's trees, if it has such and they sum up to the same bits for these features."""
        trees, encoded = boosted_trees(self.estimator), self._encoded(columns)
        if trees is None:
            return self
        few = [encoded[begin : begin + trees.most_rows] for begin in range(0, len(encoded), trees.most_rows)]
        same = np.array_equal(np.concatenate([*map(trees.sums, few)]), self.estimator._raw_predict(encoded))
        return replace(self, trees=trees) if same else self

    def _encoded(self, columns: Columns) -> npt.NDArray[np.float64]:
        rows = len(next(iter(columns.values())))
        encoded = np.empty((rows, len(self.codes) + len(self.numbers)))
        for place, (name, codes) in enumerate(self.codes.items()):
            other = self.unknown[name]
            encoded[:, place] = [codes.get(value, other) for value in columns[name]]
        for place, name in enumerate(self.numbers, len(self.codes)):
            encoded[:, place] = numbers(np.array(columns[name], np.float64))
        return encoded


def numbers(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Numbers as the estimator takes them: an infinite one, such as an event's SQL may give, is a missing one."""
    return np.where(np.isinf(values), np.nan, values).clip(-WIDEST, WIDEST)


def frame_of(columns: Columns, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Features in columns as the table that `tidegate.scoring.scores.predict` takes."""
    return pd.DataFrame(
        {
            name: np.array(columns[name], np.float64) if kind == "number" else pd.Series(columns[name], dtype=object)
            for name, kind in kinds.items()
        }
    )


def encoding(pipeline: Any, kinds: Mapping[str, str], task: str, rows: Columns) -> Encoding | None:
    """The encoding of a pipeline; None if it is of another kind, or predicts `rows` otherwise by a single bit."""
    parts = {name: (part, [*columns]) for name, part, columns in pipeline["encode"].transformers_ if len(columns)}
    if not parts.keys() <= {"category", "number"} or not _is_ordinal(*parts.get("category", (None, []))):
        return None
    if "number" in parts and type(parts["number"][0]).__name__ != "FunctionTransformer":  # passed through
        return None
    encoder, names = parts.get("category", (None, []))
    codes = _codes(encoder, names) if names else {}
    unknown = {name: codes_of.pop(UNKNOWN) for name, codes_of in codes.items()}
    candidate = Encoding(pipeline["estimator"], codes, unknown, tuple(parts.get("number", (None, []))[1]))
    strange = {name: [*values, *([UNKNOWN] if name in codes else values[:1])] for name, values in rows.items()}
    expected = np.asarray(predict(pipeline, frame_of(strange, kinds), kinds, task))
    same = np.array_equal(expected, np.asarray(candidate.predict(strange, task)))
    return candidate.with_trees(strange) if same else None


def _is_ordinal(encoder: Any, names: Sequence[str]) -> bool:
    return not names or type(encoder).__name__ == "OrdinalEncoder"


def _codes(encoder: Any, names: Sequence[str]) -> dict[str, dict[str | None, float]]:
    """The code that a fitted encoder gives each category: those that it knows, a missing and an unknown one."""
    texts = [[*(value for value in values if isinstance(value, str)), None, UNKNOWN] for values in encoder.categories_]
    longest = max(map(len, texts))
    table = pd.DataFrame(
        {name: [*values, *[UNKNOWN] * (longest - len(values))] for name, values in zip(names, texts, strict=True)},
        dtype=object,
    )
    encoded = encoder.transform(table.where(table.notna(), np.nan))
    return {
        name: dict(zip(values, encoded[: len(values), place].tolist(), strict=True))
        for place, (name, values) in enumerate(zip(names, texts, strict=True))
    }
