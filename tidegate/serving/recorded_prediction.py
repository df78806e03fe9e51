"""What is recorded of a prediction: what was asked, what the model saw, and what it answered; never who it was."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tidegate.contract.contract import Contract
from tidegate.contract.names import folded
from tidegate.scoring.scores import Predictions, answers
from tidegate.serving.events import ARROW
from tidegate.serving.recordings import DROPPED, ENDING, FEATURE, HOUR, HOUR_FORMAT, KEY, OURS, PROBABILITIES
from tidegate.serving.rows import Kind
from tidegate.tracking.champion import Champion

REQUEST = "x-request-id"  # the header with the id that a client gives its request
LONGEST_ID = 200
# The memory of a request that waits: about so many bytes, so many for each column, and so many for each value.
REQUEST_BYTES, COLUMN_BYTES, VALUE_BYTES = 1000, 80, 40
ROWS_AT_ONCE = 100  # that become columns in one go: less than a millisecond


@dataclass(frozen=True)
class Prediction:
    """One request: its id and time (UTC), of events their identity, the features that the champion saw, its answer."""

    request: str
    time: datetime
    champion: Champion
    kind: Kind
    identity: Mapping[str, Sequence[Any]]
    features: Mapping[str, Sequence[Any]]
    answer: Predictions

    def __len__(self) -> int:
        return len(self.answer)

    @property
    def group(self) -> tuple[str, str]:
        """Version and hour: the predictions of a file have the same."""
        return self.champion.version, f"{self.time:{HOUR_FORMAT}}"

    @property
    def size(self) -> int:
        """The bytes of memory that it takes, about."""
        characters = sum(sum(map(len, filter(None, values))) for values in self._texts())
        answered = len(self.answer.columns) if isinstance(self.answer, pd.DataFrame) else 1
        columns = len(self.features) + len(self.identity) + answered
        return REQUEST_BYTES + columns * (COLUMN_BYTES + VALUE_BYTES * len(self)) + characters

    def _texts(self) -> Iterator[Sequence[str | None]]:
        """The columns whose values may be long."""
        kinds, own = self.champion.record.features, self.champion.contract
        yield from (values for name, values in self.features.items() if kinds[name] != "number")
        columns = own.tables[own.event].columns
        yield from (values for name, values in self.identity.items() if columns[name].type == "text")


def request_id(headers: Mapping[str, str]) -> str:
    """The id that the client gave, or else a new one."""
    text = headers.get(REQUEST, "")
    return text if 0 < len(text) <= LONGEST_ID and text.isprintable() else uuid4().hex


def name(group: tuple[str, str]) -> str:
    """The path of a new file, which no other server gives one of its own."""
    _, hour = group
    return f"{HOUR}{hour}/{uuid4().hex}{ENDING}"


def content(predictions: Sequence[Prediction], dropped: int = 0) -> bytes:
    """The Parquet file of predictions of one group; `dropped` rows before them could not be recorded.

    It rests between some rows and the next, for as long as they took: who turns values into columns holds Python's
    lock, and requests wait for it.
    """
    batches = []
    for some in _in_turn(predictions):
        begin = time.monotonic()
        batches.append(_batch(some))
        time.sleep(time.monotonic() - begin)
    table = pa.Table.from_batches(batches)
    table = table.replace_schema_metadata({DROPPED: str(dropped)}) if dropped else table
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")  # without the lock
    parquet: bytes = sink.getvalue().to_pybytes()
    return parquet


def _in_turn(predictions: Sequence[Prediction]) -> Iterator[Sequence[Prediction]]:
    """The requests in their order, so many at once as have about ROWS_AT_ONCE rows."""
    begin, rows = 0, 0
    for end, prediction in enumerate(predictions, 1):
        rows += len(prediction)
        if rows >= ROWS_AT_ONCE or end == len(predictions):
            yield predictions[begin:end]
            begin, rows = end, 0


def key(contract: Contract) -> list[str]:
    """The columns that identify an event and are recorded.

    A contract refuses private ones among them; here they are left out again, because what is written is not read back.
    """
    return [column for column in contract.identity if folded(column) not in _private(contract)]


def features(champion: Champion) -> dict[str, str]:
    """The features that are recorded, and their kinds: all but those with the name of a private column."""
    private = _private(champion.contract)
    return {feature: kind for feature, kind in champion.record.features.items() if folded(feature) not in private}


def _private(contract: Contract) -> set[str]:
    """The names of the columns, of all tables, that say who somebody is."""
    tables = contract.tables.values()
    return {folded(column) for table in tables for column in table.columns.keys() - table.visible().keys()}


def schema(champion: Champion) -> pa.Schema:
    """The columns of the files of a version."""
    columns, many = champion.contract.tables[champion.contract.event].columns, champion.contract.task == "multiclass"
    return pa.schema(
        {
            **OURS,
            "kind": pa.string(),
            **{KEY + column: ARROW[columns[column].type] for column in key(champion.contract)},
            **{
                FEATURE + feature: pa.float64() if kind == "number" else pa.string()
                for feature, kind in features(champion).items()
            },
            "prediction": pa.string() if many else pa.float64(),
            **({"probabilities": PROBABILITIES} if many else {}),
        }.items()
    )


def _batch(predictions: Sequence[Prediction]) -> pa.RecordBatch:
    """The rows of predictions of one version, for each request its own."""
    fields = schema(predictions[0].champion)
    values = ((field, chain.from_iterable(map(_column(field.name), predictions))) for field in fields)
    return pa.record_batch([pa.array([*column], field.type) for field, column in values], fields)


def _column(name: str) -> Callable[[Prediction], Sequence[Any]]:
    """What gives the values of a column, one for each row of a request."""
    if name.startswith(FEATURE):
        feature = name.removeprefix(FEATURE)
        return lambda of: of.features[feature]
    if name.startswith(KEY):
        column = name.removeprefix(KEY)
        return lambda of: of.identity[column] if of.kind == "event" else [None] * len(of)
    return _OURS[name]


def probabilities(of: Prediction) -> list[Any]:
    """The classes and their probabilities, row by row."""
    assert isinstance(of.answer, pd.DataFrame)
    return [[*zip(of.answer.columns, row, strict=True)] for row in of.answer.to_numpy().tolist()]


_OURS: Mapping[str, Callable[[Prediction], Sequence[Any]]] = {
    "request": lambda of: [of.request] * len(of),
    "row": lambda of: range(len(of)),
    "time": lambda of: [of.time] * len(of),
    "version": lambda of: [of.champion.version] * len(of),
    "kind": lambda of: [of.kind] * len(of),
    "prediction": lambda of: [*answers(of.answer).tolist()],
    "probabilities": probabilities,
}
