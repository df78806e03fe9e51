"""How the server serves: the section `serve` of params.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The values of the section `serve`."""

    tables: str
    unknown: str
    max_rows: int
    max_bytes: int
    poll_seconds: float
    record: str
    record_share: float
    record_seconds: float


def settings(values: Mapping[str, Any], tables: str) -> Settings:
    """The values of params.yaml; `tables` is where they are unless it says."""
    return Settings(**{**values, "tables": values["tables"] or tables})
