"""What the champion was asked in a window: an even sample of the rows, and the numbers of each hour."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidegate.documents.traffic import Hour
from tidegate.process import limits
from tidegate.serving.hours import Known, hour
from tidegate.serving.recordings import FEATURE, KEY, RecordedHour, dropped
from tidegate.tables.features import Window
from tidegate.tracking.champion import Champion

PLACE = "_place"  # of a row among all rows by a hash of its request: the lowest ones are the sample
ASKED_AT = "_asked_at"  # the hour of the request


@dataclass
class Asked:
    """The sampled rows of a version with its features, `prediction` and the event's identity; hours and what lacks."""

    sample: pd.DataFrame
    hours: list[Hour]
    features: Mapping[str, str]
    versions: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    dropped: int = 0

    @property
    def rows(self) -> int:
        """The rows that the version answered."""
        return sum(each.rows for each in self.hours)


def asked(champion: Champion, recorded: Iterable[RecordedHour], window: Window, rows: int) -> Asked:
    """What `champion` answered, with at most so many sampled rows; an hour without rows stands there with none."""
    contract, known = champion.contract, Known.of(champion)
    frames, versions, damaged, lost = [pd.DataFrame()], Counter[str](), 0, 0
    by_hour: dict[str, Hour] = {}
    features: dict[str, str] = {}
    for each in recorded:
        read = _read(each.files, champion.version)
        versions.update(read.versions)
        damaged += read.damaged
        lost += read.dropped
        if read.sample is None:
            continue
        features = _recorded_features(champion, read.sample)
        frame = _frame(read.sample, features, contract.identity, contract.task)
        own = read.versions[champion.version]
        by_hour[each.start.isoformat()] = hour(each.start, own, frame, features, known, contract.task)
        frames = [_least(pd.concat([*frames, frame.assign(**{ASKED_AT: each.start})]), rows)]
    hours = pd.date_range(window.start, window.end, freq="h", inclusive="left")
    every = [by_hour.get(start.isoformat(), Hour(start.isoformat(), 0)) for start in hours]
    return Asked(frames[0].reset_index(drop=True), every, features, versions, damaged, lost)


@dataclass
class _Read:
    """The rows of an hour by version, the rows of the lowest hashes of one version, the files and rows left out."""

    versions: Counter[str] = field(default_factory=Counter)
    sample: pa.Table | None = None
    damaged: int = 0
    dropped: int = 0


def _read(files: Iterable[pa.Table | None], version: str) -> _Read:
    """Read an hour file by file, and keep the sample of a version alone."""
    read = _Read()
    for table in files:
        if table is None:
            read.damaged += 1
            continue
        read.dropped += dropped(table)
        name = table["version"][0].as_py()
        own = _hashed(table) if name == version else None
        if own is not None and read.sample is not None and own.schema != read.sample.schema:
            read.damaged += 1
            continue
        read.versions[name] += len(table)
        if own is not None:
            whole = own if read.sample is None else pa.concat_tables([read.sample, own])
            read.sample = _lowest(whole, limits.MONITOR_HOUR_ROWS)
    return read


def _recorded_features(champion: Champion, table: pa.Table) -> dict[str, str]:
    """The champion's features that are recorded: those with the name of a private column are not."""
    return {name: kind for name, kind in champion.record.features.items() if FEATURE + name in table.schema.names}


def _hashed(table: pa.Table) -> pa.Table:
    """The rows with the hash of their request and place in it."""
    named = pd.DataFrame({"request": table["request"].to_pandas(), "row": table["row"].to_numpy()})
    hashes = pd.util.hash_pandas_object(named, index=False).to_numpy(np.uint64)
    return table.append_column(PLACE, pa.array(hashes))


def _lowest(table: pa.Table, most: int) -> pa.Table:
    """The rows of the lowest hashes."""
    return table.take(pc.select_k_unstable(table, most, [(PLACE, "ascending")])) if len(table) > most else table


def _least(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    return frame.nsmallest(most, PLACE) if len(frame) > most else frame


def _frame(table: pa.Table, features: Mapping[str, str], identity: Iterable[str], task: str) -> pd.DataFrame:
    """The rows as the gate takes them, beside the identity of an event (null in a request of features)."""
    many = {"probabilities": table["probabilities"].to_pylist()} if task == "multiclass" else {}
    texts = table["prediction"].to_pylist() if task == "multiclass" else table["prediction"].to_numpy()
    return pd.DataFrame(
        {
            PLACE: table[PLACE].to_numpy(),
            "time": table["time"].to_numpy(),
            **{KEY + name: pd.Series(pd.arrays.ArrowExtensionArray(table[KEY + name])) for name in identity},
            **{name: _values(table[FEATURE + name], kind) for name, kind in features.items()},
            "prediction": texts,
            **many,
        }
    )


def _values(column: pa.ChunkedArray, kind: str) -> "pd.Series[float] | pd.Series[str]":
    if kind == "number":
        return pd.Series(column.to_numpy())
    return pd.Series(column.to_pylist(), dtype=object)
