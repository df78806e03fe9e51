"""How the server serves: the section `serve` of params.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.process.errors import InputError
from tidegate.process.redaction import redacted

CURE = "name a folder, or an S3 prefix such as s3://bucket/"


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
    """The values of params.yaml; `tables` is where they are unless it says. InputError for a place that is none."""
    for key in ("tables", "record"):
        if "://" in values[key] and not values[key].startswith("s3://"):
            raise InputError(f"serve.{key}", "a folder or an S3 prefix", redacted(values[key]), CURE)
    return Settings(**{**values, "tables": values["tables"] or tables})
