"""What a training has at hand, and all that it makes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from sklearn.pipeline import Pipeline

from tidegate.components.train.diagnostics import importances, learning_curve, split_tail
from tidegate.components.train.estimator_pipeline import baselines, challenger
from tidegate.components.train.fit import fit
from tidegate.components.train.specification import Specification
from tidegate.contract.contract import Contract
from tidegate.documents.record import LearningPoint
from tidegate.scoring.scores import Predictions, labels, least_known, losses, mean, model_input, predict, weights


@dataclass(frozen=True)
class Lesson:
    """The rows to learn from, the features with their kinds, and what model.yaml asks for.

    `dropped` are the features that are not learned from, with the reason; `lone` the classes, for want of rows.
    """

    rows: pd.DataFrame
    promise: Contract
    features: Mapping[str, str]
    specification: Specification
    dropped: Mapping[str, str] = field(default_factory=dict)
    lone: Sequence[str] = ()

    def challenger(self) -> Pipeline:
        """The pipeline to be fitted."""
        return challenger(self.specification, self.features)

    def taught(self, pipeline: Pipeline) -> Pipeline:
        """A pipeline fitted to all rows."""
        target = labels(self.rows, self.promise.label, self.promise.task)
        return fit(pipeline, model_input(self.rows, self.features), target, weights(self.rows, self.promise.weight))

    def loss(self, predicted: Predictions) -> float:
        """The mean loss of predictions of its rows."""
        target = labels(self.rows, self.promise.label, self.promise.task)
        return mean(
            losses(target, predicted, self.promise.task, least_known(len(self.rows))),
            weights(self.rows, self.promise.weight),
        )


@dataclass(frozen=True)
class Learned:
    """The challenger, what it says of the rows it learned from, the baselines, and what training says of itself."""

    model: Pipeline
    predicted: Predictions
    baselines: dict[str, Pipeline]
    curve: list[LearningPoint]
    importances: dict[str, float]


def learned(lesson: Lesson, seed: int, progress: Callable[[str], None]) -> Learned:
    """Measure on held-out history first, then learn from all of it."""
    promise, features = lesson.promise, lesson.features
    head, tail = split_tail(lesson.rows, promise.time)
    curve, held_out = learning_curve(lesson.challenger, head, tail, promise, features, progress)
    importance = importances(held_out, tail, promise, features, seed, least_known(len(head)))
    model = lesson.taught(lesson.challenger())
    simple = {name: lesson.taught(made) for name, made in baselines(features, promise.task).items()}
    predicted = predict(model, lesson.rows, features, promise.task)
    return Learned(model, predicted, simple, curve, importance)
