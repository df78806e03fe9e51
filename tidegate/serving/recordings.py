"""Reads what a server has recorded, from a folder or an S3 prefix: the newest rows of a version, or hour by hour."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted

KEY, FEATURE = "key_", "feature_"  # before the names of the problem, so that none of them is one of ours
MOMENT = pa.timestamp("us")  # in UTC without its offset, as in the clean tables
OURS = {"request": pa.string(), "row": pa.int32(), "time": MOMENT, "version": pa.string()}
DROPPED = b"tidegate.dropped"  # of a file: the rows that its server could not record since the file before
PROBABILITIES = pa.map_(pa.string(), pa.float64())
HOUR, HOUR_FORMAT = "hour=", "%Y-%m-%dT%H"
ENDING = ".parquet"
LONGEST_COUNT = 15  # digits: anybody may write a file there
Result = TypeVar("Result")
CURE = "name in serve.record what `tidegate serve` records to: a folder, or an S3 prefix such as s3://bucket/asked/"


@dataclass(frozen=True)
class Recordings:
    """The newest rows of a version, the latest first; `versions` has the rows that were read of each version."""

    rows: pa.Table
    versions: Mapping[str, int]
    damaged: int


def newest(place: str, version: str, task: str) -> Recordings:
    """What a version answered last: bounded in rows, files, hours and seconds by the table of limits.

    InputError where nothing is recorded, UnavailableError without an answer of the store. A file that is damaged, or
    that no server wrote, is counted and left out.
    """
    return _answer(place, limits.SHADOW_SECONDS, lambda: _newest(place, version, task))


@dataclass(frozen=True)
class RecordedHour:
    """What was recorded in an hour: its files one after the other, each with the rows of one version.

    None is a file that is damaged, too large, or that no server wrote.
    """

    start: datetime
    files: Iterator[pa.Table | None]


def hourly(place: str, start: datetime, end: datetime, task: str) -> Iterator[RecordedHour]:
    """What was recorded in the whole hours of [start, end), in their order; an hour without a folder is left out.

    A file is read when its turn comes: no more of an hour is held than who asks keeps. Errors as `newest`.
    """
    system, folder = _answer(place, limits.STORE_ANSWER_SECONDS, lambda: opened(place))
    hours = _answer(place, limits.STORE_ANSWER_SECONDS, lambda: _hours(system, folder))
    for hour, path in hours:
        if start <= hour < end:
            yield RecordedHour(hour, _of_hour(place, system, path, task))


def _of_hour(place: str, system: Any, path: str, task: str) -> Iterator[pa.Table | None]:
    for entry in _answer(place, limits.STORE_ANSWER_SECONDS, partial(_files, system, path)):
        yield _answer(place, limits.MONITOR_FILE_SECONDS, partial(_of_one_version, system, entry, task))


def _of_one_version(system: Any, entry: Mapping[str, Any], task: str) -> pa.Table | None:
    table = _table(system, str(entry["name"]), task) if int(entry["size"]) <= limits.SHADOW_BYTES else None
    return table if table is not None and len(table["version"].unique()) == 1 else None


def dropped(table: pa.Table) -> int:
    """The rows that the server of a file could not record since the file before."""
    text = (table.schema.metadata or {}).get(DROPPED, b"0").decode(errors="replace")
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_COUNT else 0


def _answer(place: str, seconds: float, work: Callable[[], Result]) -> Result:
    """What `work` returns within so many seconds; InputError for a missing place, else UnavailableError."""
    try:
        return within(seconds, work)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(redacted(place), "recorded predictions", "nothing", CURE) from None
    except Exception as error:  # each kind of store has its own
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UnavailableError(redacted(place), "an answer", reason, CURE) from None


def _newest(place: str, version: str, task: str) -> Recordings:
    system, folder = opened(place)
    tables: list[pa.Table] = []
    read: Counter[str] = Counter()
    damaged = 0
    for path, size in _paths(system, folder):
        table = _table(system, path, task) if size <= limits.SHADOW_BYTES else None
        own = None if table is None else table.filter(pc.equal(table["version"], version))
        if table is None or own is None or (len(own) and tables and own.schema != tables[0].schema):
            damaged += 1
            continue
        read.update({str(item["values"]): item["counts"] for item in table["version"].value_counts().to_pylist()})
        tables += [own] if len(own) else []
        if sum(map(len, tables)) >= limits.SHADOW_ROWS:
            break
    return Recordings(_latest(tables), dict(sorted(read.items())), damaged)


def opened(place: str) -> tuple[Any, str]:
    if "://" not in place:
        return fsspec.filesystem("file"), str(Path(place).absolute())
    timeouts = {"connect_timeout": limits.STORE_CONNECT_SECONDS, "read_timeout": limits.STORE_READ_SECONDS}
    options = {"skip_instance_cache": True, "use_listings_cache": False, "config_kwargs": timeouts}
    system, folder = fsspec.core.url_to_fs(place.rstrip("/"), **options)
    return system, folder


def _paths(system: Any, folder: str) -> Iterator[tuple[str, int]]:
    """The newest files and their sizes, the latest first: those of an hour follow each other."""
    hours = _hours(system, folder)
    begin = hours[-1][0] - timedelta(hours=limits.SHADOW_HOURS)
    files = (entry for hour, path in reversed(hours) if hour >= begin for entry in _files(system, path))
    yield from islice(((str(entry["name"]), int(entry["size"])) for entry in files), limits.SHADOW_FILES)


def _hours(system: Any, folder: str) -> list[tuple[datetime, str]]:
    """The folders of the recorded hours, in order; FileNotFoundError where there is none."""
    named = [(hour_of(str(entry["name"])), str(entry["name"])) for entry in system.ls(folder, detail=True)]
    hours = sorted((hour, path) for hour, path in named if hour)
    if not hours:
        raise FileNotFoundError
    return hours


def _files(system: Any, path: str) -> list[Mapping[str, Any]]:
    """The files of an hour, the latest first; those that are being written begin with a dot."""
    entries = [entry for entry in system.ls(path, detail=True) if str(entry["name"]).endswith(ENDING)]
    whole = [entry for entry in entries if not str(entry["name"]).rpartition("/")[2].startswith(".")]
    return sorted(whole, key=_written, reverse=True)


def hour_of(path: str) -> datetime | None:
    """The hour that a folder is named by; None for another one."""
    name = path.rstrip("/").rpartition("/")[2]
    try:
        return datetime.strptime(name.removeprefix(HOUR), HOUR_FORMAT) if name.startswith(HOUR) else None
    except ValueError:
        return None


def _written(entry: Mapping[str, Any]) -> tuple[float, str]:
    """When a file was written, of a folder and of S3; then its name."""
    moment = entry.get("mtime") or entry.get("LastModified") or 0.0
    return float(moment.timestamp() if isinstance(moment, datetime) else moment), str(entry["name"])


def _table(system: Any, path: str, task: str) -> pa.Table | None:
    """The rows of a file; None if it is damaged, gone, or not of a server of such a task."""
    many = task == "multiclass"
    expected = {**OURS, "prediction": pa.string() if many else pa.float64()}
    expected |= {"probabilities": PROBABILITIES} if many else {}
    try:
        table = pq.read_table(BytesIO(system.cat_file(path)))
        table.validate(full=True)
        types = dict(zip(table.schema.names, table.schema.types, strict=True))
        whole = all(types[name] == kind and not table[name].null_count for name, kind in expected.items())
        return table if whole and table["time"].to_pylist() else None  # a moment may be none of Python's
    except (pa.ArrowException, FileNotFoundError, KeyError, ValueError, OverflowError, MemoryError):
        return None
    except OSError as error:  # Arrow's own for a file that ends too early; that of a store has a number
        if error.errno:
            raise
        return None


def _latest(tables: Sequence[pa.Table]) -> pa.Table:
    """The latest rows, in a total order."""
    if not tables:
        return pa.table({})
    order = [("time", "descending"), ("request", "ascending"), ("row", "ascending")]
    return pa.concat_tables(tables).sort_by(order).slice(0, limits.SHADOW_ROWS)
