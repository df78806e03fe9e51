"""The part of a verdict that compares the challenger with recorded answers of the champion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tidegate.documents.document import Constraint, Part

Count = Annotated[int, Constraint(ge=0)]
Words = Annotated[str, Constraint(min_length=1)]


@dataclass(frozen=True)
class Quantile(Part):
    """A quantile of a difference."""

    share: float
    value: float


@dataclass(frozen=True)
class RecordedAnswer(Part):
    """A recorded row and what both models say of it: the probability that is compared, or the number."""

    request: str
    row: int
    time: str
    champion: float
    challenger: float


@dataclass(frozen=True)
class PredictionBin(Part):
    """How many rows have a prediction from `start` on and below `end`; the last bin has its end, too."""

    start: float
    end: float
    champion: Count
    challenger: Count


@dataclass(frozen=True)
class ShadowComparison(Part):
    """The challenger's answers to recorded requests beside those that the champion gave, challenger minus champion.

    What is compared: of two classes the probability of true, of many that of the class that the champion answered,
    otherwise the number.
    """

    requests: Annotated[int, Constraint(ge=1)]
    rows: Annotated[int, Constraint(ge=1)]
    start: Words
    """When the first of them was answered, in UTC."""
    end: Words
    """When the last of them was answered."""
    differing: float | None
    """The share of the rows whose class differs; null for a regression."""
    mean: float
    """The mean difference."""
    absolute: float
    """The mean of its absolute value."""
    quantiles: tuple[Quantile, ...]
    largest: tuple[RecordedAnswer, ...]
    """The rows that differ most."""
    distribution: tuple[PredictionBin, ...]


@dataclass(frozen=True)
class Shadow(Part):
    """What the challenger would have answered to recorded requests; it decides nothing."""

    lines: Annotated[tuple[Words, ...], Constraint(min_length=1)]
    """What was compared or why nothing was, and what was left out, in words."""
    versions: Mapping[str, int]
    """The rows that were read of each version that answered."""
    comparison: ShadowComparison | None = None
