"""What MLflow holds of a window: the numbers of each hour as series, so that they can be drawn there."""

import re
from collections.abc import Iterator

from tidegate.documents.traffic import FeatureHour, Hour, Numbers, Traffic
from tidegate.tracking.run_data import Point

MOST_FEATURES = 100
LONGEST = 200


def points(traffic: Traffic) -> list[Point]:
    """The series: the step of a point is the number of its hour in the window."""
    names = list(dict.fromkeys(name for hour in traffic.hours for name in hour.features))[:MOST_FEATURES]
    plain = {name: _plain(name) for name in names}
    metrics = [Point(f"metrics.{name}", value) for name, value in traffic.metrics.items()]
    return [*metrics, *(point for place, hour in enumerate(traffic.hours) for point in _hour(hour, place, plain))]


def _hour(hour: Hour, place: int, names: dict[str, str]) -> Iterator[Point]:
    yield Point("rows", hour.rows, place)
    yield Point("uncertain", hour.uncertain, place)
    yield Point("loss", hour.loss, place)
    yield Point("estimate", hour.estimate, place)
    yield from _numbers("prediction", hour.prediction, place)
    for name, share in hour.classes.items():
        yield Point(f"class.{_plain(name)}", share, place)
    for name, text in names.items():
        if name in hour.features:
            yield from _feature(text, hour.features[name], place)


def _feature(name: str, feature: FeatureHour, place: int) -> Iterator[Point]:
    yield Point(f"missing.{name}", feature.missing, place)
    yield Point(f"unseen.{name}", feature.unseen, place)
    yield from _numbers(f"value.{name}", feature.numbers, place)


def _numbers(name: str, numbers: Numbers | None, place: int) -> Iterator[Point]:
    if numbers:
        for part in ("mean", "low", "middle", "high"):
            yield Point(f"{name}.{part}", getattr(numbers, part), place)


def _plain(name: str) -> str:
    """A name that MLflow takes for a metric."""
    return re.sub(r"[^\w. -]", "_", name)[:LONGEST]
