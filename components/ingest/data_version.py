"""Which data this is: the digest of every raw file and DVC's version of the folder that holds them."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from tidegate.documents.moments import moment
from tidegate.process.errors import InputError


def folder_version(digests: Mapping[str, str]) -> str:
    """DVC's version of a folder, from the MD5 of each file by its relative path: what data.dvc holds."""
    entries = [{"md5": digests[path], "relpath": path} for path in sorted(digests)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def batch_window(until: str, days: int) -> tuple[datetime, datetime]:
    """The half-open window [until − days, until) in UTC; InputError when it is none."""
    end = moment("ingest.until", until, "mend params.yaml")
    if days < 1:
        raise InputError("ingest.batch_days", "at least 1", str(days), "mend params.yaml")
    return end - timedelta(days=days), end
