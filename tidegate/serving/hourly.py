"""The numbers of the hour that goes on, for Prometheus: what came in each feature, and what the champion answered."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

import pandas as pd
from prometheus_client import Gauge

from tidegate.documents.traffic import FeatureHour, Hour, Numbers
from tidegate.scoring.scores import answers
from tidegate.serving.hours import Known, hour
from tidegate.serving.recorded_prediction import Prediction, features, probabilities
from tidegate.tracking.champion import Champion

SAMPLE_ROWS = 2000  # of an hour: some milliseconds of work every few seconds
MOST_FEATURES = 100
STATISTICS = {"mean": "mean", "0.05": "low", "0.5": "middle", "0.95": "high"}

ROWS = Gauge("tidegate_hour_rows", "Rows that were recorded in this hour")
MISSING = Gauge("tidegate_hour_missing_share", "Share of the hour's rows without a value", ["feature"])
UNSEEN = Gauge("tidegate_hour_unseen_share", "Share with a category that the champion has not learned", ["feature"])
VALUE = Gauge("tidegate_hour_value", "Mean and quantiles of a feature in this hour", ["feature", "statistic"])
PREDICTION = Gauge("tidegate_hour_prediction", "Mean and quantiles of the prediction in this hour", ["statistic"])
CLASS = Gauge("tidegate_hour_class_share", "Share of the hour's rows by the answered class", ["name"])
UNCERTAIN = Gauge("tidegate_hour_uncertain_share", "Share whose answered class has a probability below 0.6", [])
LABELLED = (MISSING, UNSEEN, VALUE, PREDICTION, CLASS)


@dataclass(frozen=True)
class _Row:
    """A row of a prediction, and its place in a random order: the first ones are the sample."""

    place: float
    prediction: Prediction
    number: int


@dataclass
class HourlyNumbers:
    """An even sample of what was recorded in the newest hour of the newest version, and how many rows there were."""

    _group: tuple[str, str] = ("", "")
    _known: Known = field(default_factory=lambda: Known({}))
    _rows: int = 0
    _sample: list[_Row] = field(default_factory=list)

    def add(self, predictions: Sequence[Prediction]) -> None:
        """Count predictions of one version and hour, and show the numbers of that hour; those of an older one not."""
        version, start = predictions[0].group
        if start < self._group[1]:
            return
        if (version, start) != self._group:
            self._begin(predictions[0].champion, version, start)
        self._rows += sum(map(len, predictions))
        worst = self._sample[-1].place if len(self._sample) == SAMPLE_ROWS else 1.0
        self._sample = nsmallest(SAMPLE_ROWS, [*self._sample, *_drawn(predictions, worst)], key=lambda row: row.place)
        show(_numbers(predictions[0].champion, self._sample, self._rows, self._known))

    def _begin(self, champion: Champion, version: str, start: str) -> None:
        if version != self._group[0]:
            self._known = Known.of(champion)
        self._group, self._rows, self._sample = (version, start), 0, []


def _drawn(predictions: Sequence[Prediction], below: float) -> Iterator[_Row]:
    """The rows whose random place is below."""
    for prediction in predictions:
        for number in range(len(prediction)):
            if (place := random.random()) < below:  # noqa: S311  (a sample, no secret)
                yield _Row(place, prediction, number)


def _numbers(champion: Champion, sample: Sequence[_Row], rows: int, known: Known) -> Hour:
    kinds = dict([*features(champion).items()][:MOST_FEATURES])
    task = champion.contract.task
    columns: dict[str, list[object]] = {
        name: [row.prediction.features[name][row.number] for row in sample] for name in kinds
    }
    frame = pd.DataFrame(columns)
    frame["prediction"] = [answers(row.prediction.answer)[row.number] for row in sample]
    if task == "multiclass":
        frame["probabilities"] = [probabilities(row.prediction)[row.number] for row in sample]
    return hour(sample[0].prediction.time, rows, frame, kinds, known, task)


def show(numbers: Hour) -> None:
    """Set what Prometheus reads; what the hour does not have is not there."""
    for gauge in LABELLED:
        gauge.clear()
    ROWS.set(numbers.rows)
    for name, feature in numbers.features.items():
        _show_feature(name, feature)
    for statistic, value in _statistics(numbers.prediction):
        PREDICTION.labels(statistic).set(value)
    for name, share in numbers.classes.items():
        CLASS.labels(name).set(share)
    if numbers.uncertain is not None:
        UNCERTAIN.set(numbers.uncertain)


def _show_feature(name: str, feature: FeatureHour) -> None:
    MISSING.labels(name).set(feature.missing)
    if feature.unseen is not None:
        UNSEEN.labels(name).set(feature.unseen)
    for statistic, value in _statistics(feature.numbers):
        VALUE.labels(name, statistic).set(value)


def _statistics(numbers: Numbers | None) -> Iterator[tuple[str, float]]:
    if numbers:
        yield from ((statistic, getattr(numbers, part)) for statistic, part in STATISTICS.items())
