"""A picture of a verdict as numbers; the page draws it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.documents.verdict import ModelName
from tidegate.pages.axes import QUARTERS

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """A line per model, with points as shares of the axes; `dots` mark the points of the lines.

    `points` are single rows of the challenger, `diagonal` is whether the line y = x is drawn.
    """

    title: str
    x: str
    y: str
    lines: Mapping[ModelName, Line]
    dots: bool = False
    diagonal: bool = True
    points: Line = ()
    x_ticks: Sequence[Mapping[str, Any]] = tuple(QUARTERS)
    y_ticks: Sequence[Mapping[str, Any]] = tuple(QUARTERS)
