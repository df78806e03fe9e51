"""The prediction of a file from its rows to its answer: read, check, compute features, ask the model, write."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tidegate.components.predict import events, outgoing, staging
from tidegate.components.predict.file_columns import FAULT, ROW, Columns, columns
from tidegate.components.predict.incoming import Incoming, incoming, paths_of
from tidegate.components.predict.promises import checks
from tidegate.components.predict.scoring import scored
from tidegate.contract.contract import quoted
from tidegate.documents.formats import replacing
from tidegate.process.errors import InputError
from tidegate.serving import clean_tables
from tidegate.serving.predictor import Predictor, predictor
from tidegate.serving.rows import Kind
from tidegate.tables.engine import parquet
from tidegate.tracking.champion import Champion

BATCH_ROWS = 65_536  # a few dozen megabytes
BY_ROW, BY_IDENTITY = "predictions.parquet", "asked.parquet"
Watch = Callable[[str, int, int], None]  # what is done, how many rows of it are done, and of how many


@dataclass(frozen=True)
class Asked:
    """A file that is asked, and how: `kind` where the columns do not say, `skip_bad` to set bad rows aside."""

    source: str
    target: Path
    tables: str
    unknown: str
    kind: Kind | None
    skip_bad: bool


@dataclass(frozen=True)
class Answered:
    """What was predicted: rows of a kind, those set aside, and the columns that are not shown."""

    kind: Kind
    version: str
    rows: int
    bad: int
    hidden: tuple[str, ...]


def predict_file(champion: Champion, asked: Asked, moment: datetime, watch: Watch) -> Answered:
    """Write the predictions of a file, whole or not at all; InputError names the first bad row."""
    _, form = outgoing.form_of(asked.target)
    _check_folder(asked.target)
    by = predictor(champion, None, asked.unknown, 1)
    with ExitStack() as stack:
        target = stack.enter_context(replacing(asked.target))
        aside = stack.enter_context(replacing(outgoing.aside(asked.target))) if asked.skip_bad else None
        scratch = target.with_name(f"{target.name}.scratch")
        scratch.mkdir()
        folders = {path.parent for path in paths_of(asked.source)} | {target.parent}
        with staging.workshop(scratch, *folders) as connection, _rows(connection, asked, by) as (rows, which):
            work = _Work(connection, by, asked, rows, which, scratch, watch)
            total = work.checked()
            work.predicted(total)
            watch("write", 0, total)
            answered = outgoing.write_answer(
                connection, which, scratch / BY_ROW, champion.version, moment, form, scratch, target
            )
            if aside:
                late = events.row_checks(champion.contract)
                outgoing.write_aside(connection, rows, which, checks(which.fields), late, form, scratch, aside)
    return Answered(which.kind, champion.version, answered, total - answered, tuple(which.hidden))


def _check_folder(target: Path) -> None:
    """InputError where the answer cannot be written, before anything is read."""
    folder = target.parent
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(target, "a folder in which files can be made", "no permission", "name another place")


@contextmanager
def _rows(connection: duckdb.DuckDBPyConnection, asked: Asked, by: Predictor) -> Iterator[tuple[Incoming, Columns]]:
    contract = by.champion.contract
    with incoming(connection, asked.source, contract.tables[contract.event]) as rows:
        yield rows, columns(rows, by.form, contract, asked.kind)


@dataclass(frozen=True)
class _Work:
    """What the parts of the work share."""

    connection: duckdb.DuckDBPyConnection
    by: Predictor
    asked: Asked
    rows: Incoming
    columns: Columns
    scratch: Path
    watch: Watch

    def checked(self) -> int:
        """Read the rows and hold them against the contract; returns how many there are."""
        contract, event = self.by.champion.contract, self.columns.kind == "event"
        self.watch("read", 0, 0)
        total = staging.stage(self.connection, self.rows, self.columns, contract.tables[contract.event], self.scratch)
        self._refuse(staging.ROWS, total)
        if event:
            events.write_events(self.connection, contract, self.columns.fields, self.scratch)
            events.write_late(self.asked.tables, contract, self.scratch)
            self._refuse(staging.LATE, total)
        else:
            none = pa.schema({ROW: pa.int64(), FAULT: pa.int32()}.items())
            pq.write_table(none.empty_table(), self.scratch / staging.LATE)
        return total

    def predicted(self, total: int) -> None:
        """Write the predictions in the order of the rows."""
        own, target = self.by.champion, self.scratch / BY_ROW
        if self.columns.kind == "features":
            kept = f"FROM {parquet(self.scratch / staging.ROWS)} WHERE {quoted(FAULT)} IS NULL"
            names = ", ".join(map(quoted, [ROW, *self.columns.fields]))
            reader = self.connection.sql(f"SELECT {names} {kept}").to_arrow_reader(BATCH_ROWS)
            self._write(reader, [ROW], target, total)
            return
        self.watch("features", 0, total)
        source = clean_tables.find(self.asked.tables)
        by_identity = self.scratch / BY_IDENTITY
        with events.features(source, own.contract, own.sql, own.record.features, self.scratch, BATCH_ROWS) as reader:
            self._write(reader, own.contract.identity, by_identity, total)
        events.by_row(self.connection, own.contract, by_identity, target, self.scratch)
        self._refuse(staging.LATE, total)

    def _write(self, reader: pa.RecordBatchReader, beside: list[str], path: Path, total: int) -> None:
        done, writer = 0, None

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            self.watch("predict", done, total)

        with ExitStack() as stack:
            for batch in scored(reader, self.by, beside, count):
                writer = writer or stack.enter_context(pq.ParquetWriter(path, batch.schema, compression="zstd"))
                writer.write_batch(batch)
        if writer is None:
            raise InputError(self.asked.source, "at least one row that can be predicted", "none", "correct the rows")

    def _refuse(self, name: str, total: int) -> None:
        """Refuse the file for its bad rows, unless they are set aside."""
        late = name == staging.LATE
        promises = events.row_checks(self.by.champion.contract) if late else checks(self.columns.fields)
        bad = staging.bad_rows(self.connection, self.scratch / name, promises)
        if bad and not self.asked.skip_bad:
            raise staging.refusal(self.connection, self.rows, self.columns, bad, total)
