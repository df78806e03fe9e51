"""Axes of charts: positions as shares of the axis, and ticks at round values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any


def _text(value: float) -> str:
    return f"{value:g}".replace("-", "−")


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`; positions are shares of its length, 0 to 1."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Axis":
        """An axis that covers all values."""
        low, high = float(min(values)), float(max(values))
        return cls(low, high) if high > low else cls(low - 0.5, low + 0.5)

    def at(self, value: float) -> float:
        """The position of a value."""
        return round((float(value) - self.low) / (self.high - self.low), 4)

    def within(self, points: Sequence[tuple[float, float]], other: "Axis") -> list[tuple[float, float]]:
        """The positions of points, with x on this axis and y on the other."""
        return [(self.at(x), other.at(y)) for x, y in points]

    def ticks(self, text: Callable[[float], str] = _text) -> list[dict[str, Any]]:
        """Ticks at round values, with their positions and texts."""
        return [{"at": self.at(tick), "text": text(tick)} for tick in _ticks(self.low, self.high)]


DATE = 0.28  # the share of an axis that a date takes, with room around it


def dates(places: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
    """Ticks of the last date, and of those before it that have room beside the others; all given in their order."""
    spaced = [places[-1]]
    for place, text in reversed(places[:-1]):
        if spaced[-1][0] - place >= DATE:
            spaced.append((place, text))
    return [{"at": place, "text": text} for place, text in reversed(spaced)]


QUARTERS = [{"at": tick, "text": f"{tick:g}"} for tick in (0, 0.25, 0.5, 0.75, 1)]


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5  # steps of at most 2.5 times that: at least two values
    unit = 10.0 ** floor(log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough)
    return [round(index * step, 12) for index in range(ceil(low / step), floor(high / step) + 1)]
