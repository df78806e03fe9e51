"""The loss on every batch that was evaluated, over time, as the lines of a picture; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tidegate.pages.axes import dates
from tidegate.scoring.tasks import Task
from tidegate.tracking.tags import Tag

MODELS = ("challenger", "champion")
STEPS = 4


def chart(batches: Sequence[Mapping[str, str]], task: Task) -> dict[str, Any]:
    """Points of each model in the unit square, with ticks; `batches` are tags, with the loss of each model."""
    by_model = {model: _points(batches, f"{model}.{task.loss}") for model in MODELS}
    every = [point for points in by_model.values() for point in points]
    if not every:
        return {"lines": {}, "x_ticks": [], "y_ticks": []}
    moments, losses = [moment for moment, _ in every], [loss for _, loss in every]
    x, y = _scale(min(moments), max(moments)), _scale(min(losses), max(losses))
    return {
        "lines": {
            model: [(round(x(moment), 4), round(y(loss), 4)) for moment, loss in points]
            for model, points in by_model.items()
        },
        "x_ticks": dates([(x(at), f"{datetime.fromtimestamp(at):%Y-%m-%d}") for at in sorted(set(moments))]),
        "y_ticks": [{"at": y(at), "text": task.text(at, 3)} for at in _between(min(losses), max(losses))],
    }


def _points(batches: Sequence[Mapping[str, str]], key: str) -> list[tuple[float, float]]:
    points = [
        (datetime.fromisoformat(tags[Tag.UNTIL]).timestamp(), float(tags[key])) for tags in batches if key in tags
    ]
    return sorted(points)


def _scale(low: float, high: float) -> Any:
    """From [low, high] to [0.04, 0.96]; one value alone stands in the middle."""
    return lambda value: 0.04 + 0.92 * (value - low) / (high - low) if high > low else 0.5


def _between(low: float, high: float) -> list[float]:
    return [low + (high - low) * step / STEPS for step in range(STEPS + 1)] if high > low else [low]
