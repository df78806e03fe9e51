"""The version of the data: DVC's digest of its folder, and the window of the batch."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from tidegate.documents.moments import moment
from tidegate.process.errors import InputError


def folder_version(digests: Mapping[str, str]) -> str:
    """DVC's digest of a folder, as in data.dvc, from the MD5 of each file by its relative path."""
    entries = [{"md5": digests[path], "relpath": path} for path in sorted(digests)]
    text = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest() + ".dir"


def batch_window(until: str, days: int) -> tuple[datetime, datetime]:
    """The half-open window [until − days, until) in UTC; InputError for an invalid time or fewer than 1 day."""
    end = moment("ingest.until", until, "correct params.yaml")
    if days < 1:
        raise InputError("ingest.batch_days", "at least 1", str(days), "correct params.yaml")
    return end - timedelta(days=days), end
