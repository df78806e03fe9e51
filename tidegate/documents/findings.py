"""The findings of validation: per table its rows, its bad rows and why, and what stops the run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegate.documents.document import Document, Part
from tidegate.documents.manifest import Example


@dataclass(frozen=True)
class BrokenPromise(Part):
    """A promise of the contract that some rows break."""

    promise: str
    """The column, or `rule`, and what was promised of it."""
    rows: int
    """How many rows break it."""
    example: Example | None = None


@dataclass(frozen=True)
class ColumnFindings(Part):
    """The distribution of a column: a histogram of numbers or the most frequent categories, from a sample of rows."""

    nulls: int
    """The rows without a value, of all rows."""
    least: float | None = None
    greatest: float | None = None
    bins: tuple[int, ...] | None = None
    """The rows in each of the bins of equal width from the least to the greatest value."""
    different: int | None = None
    """How many different values there are."""
    most: tuple[tuple[str, float], ...] | None = None
    """The most frequent values, each with its share."""


@dataclass(frozen=True)
class TableFindings(Part):
    """The findings of a table."""

    rows: int
    bad_rows: int
    """The rows that break a promise and are set aside."""
    broken: tuple[BrokenPromise, ...]
    """The promises that rows break, by falling number of rows."""
    unknown_columns: tuple[str, ...]
    """Columns that the contract does not name."""
    violations: tuple[str, ...]
    """What stops the run, a line each."""
    columns: Mapping[str, ColumnFindings]
    warnings: tuple[str, ...] = ()
    """What does not stop the run and is worth a look, a line each."""


@dataclass(frozen=True)
class Findings(Document):
    """findings.json: whether the tables are accepted, and what was found in each."""

    accepted: bool
    """Whether no table has a violation."""
    max_bad_share: float
    """The parameter validate.max_bad_share: the share of a table's rows that may be set aside."""
    tables: Mapping[str, TableFindings]
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the folder of clean tables."""

    def violations(self) -> list[str]:
        """Every violation as one line, the table first."""
        return [f"{name}: {line}" for name, table in self.tables.items() for line in table.violations]
