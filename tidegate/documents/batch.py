"""The batch: which rows are decided upon, of which data and by which recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tidegate.documents.document import Document, Part


@dataclass(frozen=True)
class Recipe(Part):
    """What makes a model beside the data."""

    contract: str
    """SHA-256 of what contract.yaml says."""
    sql: str
    """SHA-256 of the statement in features.sql."""
    estimator: str
    """SHA-256 of what model.yaml says."""
    window_days: int
    """How many days before the batch are learned from."""


@dataclass(frozen=True)
class Batch(Document):
    """batch.json: the rows with an event time in [start, end), and the features that all rows have."""

    id: str
    """Sixteen hexadecimal digits, from the data, the window and the recipe."""
    name: str
    """The name of the problem."""
    data: str
    """The version of the data, as DVC names it."""
    start: str
    end: str
    rows: int
    labelled_rows: int
    history_rows: int
    """The rows before the batch."""
    history_labelled_rows: int
    features: Mapping[str, str]
    """The kind of each feature: number, category or text."""
    recipe: Recipe
    files: Mapping[str, str]
    """The MD5 of each file of raw data."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the folders of the clean tables and of the features."""

    @property
    def days(self) -> float:
        """The length of the batch."""
        return (datetime.fromisoformat(self.end) - datetime.fromisoformat(self.start)) / timedelta(days=1)
