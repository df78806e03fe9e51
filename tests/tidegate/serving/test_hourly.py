"""The numbers of the hour that goes on, as Prometheus reads them."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.tidegate.serving.conftest import FEATURES, Server
from tidegate.serving import hourly
from tidegate.serving.recorded_prediction import Prediction
from tidegate.tracking.champion import Champion, load_champion
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

Serve = Callable[..., Server]
HOUR = datetime(2024, 4, 2, 10, 30)


def read(server: Server) -> dict[str, float]:
    """What /metrics says of the hour, by name and labels."""
    text = server.ask("/metrics", method="GET").document
    return {name: float(value) for name, value in re.findall(r"^(tidegate_hour_\S+) (\S+)$", text, re.MULTILINE)}


def flushed(server: Server, *instances: Any) -> None:
    server.predict(*instances)
    assert server.model.recorder is not None
    server.model.recorder.flush()


def test_each_feature_and_the_answers_are_shown(serve: Serve, tmp_path: Path) -> None:
    server = serve(record=str(tmp_path / "kept"))
    rows = [FEATURES, {**FEATURES, "price": None}, {**FEATURES, "shop": "west"}, {**FEATURES, "price": 30.5}]
    flushed(server, *rows)
    shown = read(server)
    assert shown["tidegate_hour_rows"] == 4
    assert shown['tidegate_hour_missing_share{feature="price"}'] == 0.25
    assert shown['tidegate_hour_unseen_share{feature="shop"}'] == 0.25
    assert shown['tidegate_hour_value{feature="price",statistic="mean"}'] == pytest.approx((20.5 + 20.5 + 30.5) / 3)
    answered = server.predict(*rows).document["predictions"]
    assert shown['tidegate_hour_prediction{statistic="mean"}'] == pytest.approx(np.mean(answered))
    assert shown['tidegate_hour_class_share{name="true"}'] == np.mean(np.array(answered) >= 0.5)
    assert 'tidegate_hour_unseen_share{feature="price"}' not in shown, "a number has no categories"
    flushed(server, *rows)
    assert read(server)["tidegate_hour_rows"] == 12, "with those that were asked in between"


@pytest.fixture
def champion(released: "World") -> Champion:
    version = load_champion(connect(), "toy", ())
    assert version is not None
    return version


def predictions(champion: Champion, prices: Sequence[float], time: datetime = HOUR) -> list[Prediction]:
    rows = len(prices)
    columns: dict[str, Sequence[Any]] = {"shop": ["north"] * rows, "price": [*prices], "rate": [1.0] * rows}
    return [Prediction("r", time, champion, "features", {}, columns, np.full(rows, 0.2))]


def value(gauge: Any, *labels: str) -> float:
    found: float = gauge.labels(*labels)._value.get() if labels else gauge._value.get()
    return found


def test_another_hour_begins_anew_and_an_older_one_is_late(champion: Champion) -> None:
    numbers = hourly.HourlyNumbers()
    numbers.add(predictions(champion, [10.0] * 3))
    numbers.add(predictions(champion, [50.0], HOUR.replace(hour=11)))
    assert (value(hourly.ROWS), value(hourly.VALUE, "price", "mean")) == (1, 50.0)
    numbers.add(predictions(champion, [10.0] * 3))
    assert (value(hourly.ROWS), value(hourly.VALUE, "price", "mean")) == (1, 50.0)
    numbers.add(predictions(replace(champion, version="2"), [7.0], HOUR.replace(hour=11)))
    assert (value(hourly.ROWS), value(hourly.VALUE, "price", "mean")) == (1, 7.0)


def test_of_many_rows_an_even_sample_is_kept(champion: Champion) -> None:
    random.seed(0)
    numbers = hourly.HourlyNumbers()
    for price in (0.0, 1.0):
        for _ in range(5):
            numbers.add(predictions(champion, [price] * 2000))
    assert value(hourly.ROWS) == 20_000
    assert len(numbers._sample) == hourly.SAMPLE_ROWS
    assert value(hourly.VALUE, "price", "mean") == pytest.approx(0.5, abs=0.05)
