"""A training: the rows and the specification that it begins with, and the models and diagnostics that it ends with."""

import warnings
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
class TrainingSet:
    """The training rows, the features with their kinds, and the specification in model.yaml.

    `dropped` are the features that are left out, with the reason; `lone` the classes with too few rows.
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

    def fitted(self, pipeline: Pipeline) -> Pipeline:
        """A pipeline fitted to all rows."""
        target = labels(self.rows, self.promise.label, self.promise.task)
        return fit(pipeline, model_input(self.rows, self.features), target, weights(self.rows, self.promise.weight))

    def loss(self, predicted: Predictions) -> float:
        """The mean loss of predictions for its rows."""
        target = labels(self.rows, self.promise.label, self.promise.task)
        return mean(
            losses(target, predicted, self.promise.task, least_known(len(self.rows))),
            weights(self.rows, self.promise.weight),
        )


@dataclass(frozen=True)
class Trained:
    """The challenger with its predictions of the training rows, the baselines, the learning curve, the importances."""

    model: Pipeline
    predicted: Predictions
    baselines: dict[str, Pipeline]
    curve: list[LearningPoint]
    importances: dict[str, float]


def train_on(training_set: TrainingSet, seed: int, progress: Callable[[str], None]) -> Trained:
    """Measure on held-out history first, then train on all of it."""
    promise, features = training_set.promise, training_set.features
    head, tail = split_tail(training_set.rows, promise.time)
    curve, held_out = learning_curve(training_set.challenger, head, tail, promise, features, progress)
    importance = importances(held_out, tail, promise, features, seed, least_known(len(head)))
    model = training_set.fitted(training_set.challenger())
    with warnings.catch_warnings(action="ignore"):  # nobody can set the parameters of a baseline
        simple = {name: training_set.fitted(baseline) for name, baseline in baselines(features, promise.task).items()}
    predicted = predict(model, training_set.rows, features, promise.task)
    return Trained(model, predicted, simple, curve, importance)
