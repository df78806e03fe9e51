"""Where the rows come from and the answer goes to: a folder, or an S3 prefix, from which a copy is made here."""

from collections.abc import Sequence
from pathlib import Path

import fsspec

from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted

CURE = "name a folder or a file, or one in S3 such as s3://bucket/asked/"


def here(place: str, folder: Path) -> str:
    """The place itself, or a copy of what is in S3 below it."""
    if not is_remote(place):
        return place
    target = folder / place.rstrip("/").rpartition("/")[2]
    try:
        system, path = fsspec.core.url_to_fs(place.rstrip("/"), use_listings_cache=False)
        within(limits.MOST_TRANSFER_SECONDS, lambda: system.get(path, str(target), recursive=True))
    except FileNotFoundError:
        raise InputError(redacted(place), "rows to predict", "nothing", CURE) from None
    except Exception as error:  # each kind of store has its own
        raise UnavailableError(redacted(place), "an answer", type(error).__name__, CURE) from None
    return str(target)


def put(files: Sequence[Path], place: str) -> None:
    """Copy files below an S3 prefix; each appears whole."""
    try:
        system, prefix = fsspec.core.url_to_fs(place.rstrip("/"), use_listings_cache=False)
        names = [f"{prefix}/{file.name}" for file in files]
        within(limits.MOST_TRANSFER_SECONDS, lambda: system.put([*map(str, files)], names))
    except Exception as error:  # each kind of store has its own
        raise UnavailableError(redacted(place), "a store that takes files", type(error).__name__, CURE) from None


def is_remote(place: str) -> bool:
    """Whether a place is in S3; InputError for another store."""
    if "://" in place and not place.startswith("s3://"):
        raise InputError(redacted(place), "a folder or an S3 prefix", "another store", CURE)
    return "://" in place
