"""What the champion was asked in a window of time, hour by hour, and what is known of it since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from tidegate.documents.document import Constraint, Document, Part

Count = Annotated[int, Constraint(ge=0)]


@dataclass(frozen=True)
class Numbers(Part):
    """The mean of the numbers of an hour, and their quantiles 0.05, 0.5 and 0.95."""

    mean: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class FeatureHour(Part):
    """A feature in an hour."""

    missing: float
    """The share of the rows without a value."""
    unseen: float | None = None
    """The share of the rows with a category that the champion has not learned; null for a number."""
    numbers: Numbers | None = None
    """Of a number."""


@dataclass(frozen=True)
class Hour(Part):
    """An hour in which the champion was asked; rates and numbers are of at most 100,000 of its rows."""

    start: str
    rows: Count
    features: Mapping[str, FeatureHour] = field(default_factory=dict)
    prediction: Numbers | None = None
    """Of a probability or a number; null with several classes."""
    classes: Mapping[str, float] = field(default_factory=dict)
    """The share of the rows by the answered class, the most frequent ones; of two classes that of `true`."""
    uncertain: float | None = None
    """The share of the rows whose answered class has a probability below 0.6; null for a regression."""
    labelled_rows: Count = 0
    """The compared rows of the hour whose label is known by now."""
    loss: float | None = None
    """The champion's mean loss on these."""
    estimate: float | None = None
    """Its mean loss on the compared rows as estimated without labels."""


@dataclass(frozen=True)
class Difference(Part):
    """A feature that the server recorded otherwise than the same SQL gives later for the same events."""

    feature: str
    share: float
    """Of the compared rows."""
    largest: float | None
    """The largest difference of a number; null for a category, or where one side has no value."""


@dataclass(frozen=True)
class Traffic(Document):
    """traffic.json: what the champion was asked in a window."""

    name: str
    window: str
    """The id of the window: problem, version, start and end."""
    version: str
    """The version that serves, whose answers are judged."""
    start: str
    end: str
    rows: Count
    """The rows that it answered."""
    versions: Mapping[str, int]
    """The rows that each version answered."""
    hours: tuple[Hour, ...]
    """Every hour of the window, in order."""
    dropped: Count = 0
    """The rows that servers could not record, of any version: the hours may hold fewer than were asked."""
    offline_rows: Count = 0
    """The sampled events that the clean tables know by now, whose features were compared."""
    differences: tuple[Difference, ...] = ()
    """The features that differ, the most frequent differences first."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The metrics of the task on the sampled rows with a label."""
    notes: tuple[str, ...] = ()
    """What was left out, in words."""
