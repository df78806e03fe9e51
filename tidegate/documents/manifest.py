"""The manifest: which raw data was read, for which batch, and what was read of each table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegate.documents.document import Document, Part


@dataclass(frozen=True, kw_only=True)
class Example(Part):
    """A row with a value that is not as promised."""

    value: str | None = None
    """The value; left out where it says who the row is."""
    file: str | None = None
    """The raw file; left out for a row of the ordered table."""
    row: int
    """Its place in that file after the header, or in the table, from 1."""


@dataclass(frozen=True)
class Edges(Part):
    """The half-open window [start, end) of the batch."""

    start: str
    end: str


@dataclass(frozen=True)
class IngestedTable(Part):
    """What was read of a table."""

    rows: int
    kept_as_text: tuple[str, ...]
    """The columns that stayed text because some of their values cannot be cast."""
    examples: Mapping[str, Example] | None = None
    """The first value of a column that cannot be cast."""
    rows_per_month: Mapping[str, int] | None = None
    """The rows of each month, by the column of time."""


@dataclass(frozen=True)
class Manifest(Document):
    """manifest.json: the raw data, and the tables that ingest made of it."""

    data: str
    """The version of the data, as DVC names it."""
    until: str
    """The parameter ingest.until: rows from then on were not read."""
    batch: Edges
    files: Mapping[str, str]
    """The MD5 of each file of raw data."""
    tables: Mapping[str, IngestedTable]
    contract: str = ""
    """SHA-256 of what contract.yaml said."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the folder of tables."""
