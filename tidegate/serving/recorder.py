"""Writes predictions into a folder or an S3 prefix: beside the requests, in whole files, within bounded memory."""

import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import fsspec

from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError, messages
from tidegate.process.redaction import redacted
from tidegate.serving import metrics
from tidegate.serving.hourly import HourlyNumbers
from tidegate.serving.options import Settings
from tidegate.serving.recorded_prediction import Prediction, content, name

MOST_BYTES = 50_000_000  # of predictions that wait, about; what does not fit is dropped
EARLY_BYTES = MOST_BYTES // 4  # after which they are written before the time has come


@dataclass(frozen=True)
class _File:
    """A file that is to be written, since when."""

    path: str
    content: bytes
    rows: int
    since: float
    dropped: int
    """The rows that could not be recorded before it, which it says."""


@dataclass
class Recorder:
    """The predictions that wait to be written, and the thread that writes them; `tell` takes a line for a person."""

    settings: Settings
    tell: Callable[[str], None]
    most_bytes: int = MOST_BYTES
    _waiting: list[Prediction] = field(default_factory=list)
    _files: list[_File] = field(default_factory=list)
    _waiting_bytes: int = 0
    _file_bytes: int = 0
    _dropped: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _due: threading.Event = field(default_factory=threading.Event)
    _ending: bool = False
    _failing: bool = False
    _hourly: HourlyNumbers = field(default_factory=HourlyNumbers)

    def __post_init__(self) -> None:
        self._store = store(self.settings.record)
        self._thread = threading.Thread(target=self._write_again_and_again, name="record", daemon=True)

    def start(self) -> None:
        """Write every `serve.record_seconds` until `close`."""
        self._thread.start()

    def add(self, prediction: Prediction) -> None:
        """Let a prediction be written, if it is one of the share; it is dropped where too many wait."""
        if random.random() >= self.settings.record_share:  # noqa: S311  (a sample, no secret)
            return
        size = prediction.size
        with self._lock:
            if self._waiting_bytes + self._file_bytes + size > self.most_bytes:
                metrics.DROPPED.inc(len(prediction))
                self._dropped += len(prediction)
                return
            self._waiting.append(prediction)
            self._waiting_bytes += size
            if self._waiting_bytes > EARLY_BYTES:
                self._due.set()

    def flush(self) -> None:
        """Write what waits; of a file that the store does not take, and those after it, try again the next time."""
        self._make_files()
        while self._files:
            oldest = self._files[0]
            try:
                self._store(oldest.path, oldest.content)
            except Exception as error:  # each kind of store has its own
                self._tell_failing(error)
                if time.monotonic() < oldest.since + limits.RECORD_KEPT_SECONDS:
                    return
                self._drop(oldest.rows, oldest.dropped)
            else:
                self._failing = False
                metrics.RECORDED.inc(oldest.rows)
            self._forget(oldest)

    def close(self) -> None:
        """Write the rest, within seconds; what the store does not take is dropped."""
        self._ending = True
        self._due.set()
        self._thread.join(limits.RECORD_CLOSE_SECONDS)
        with self._lock:
            lost = sum(file.rows for file in self._files) + sum(map(len, self._waiting))
        if lost:
            metrics.DROPPED.inc(lost)
            self.tell(f"{redacted(self.settings.record)}: {lost:,} predictions are not recorded")

    def _write_again_and_again(self) -> None:
        while not self._ending:
            begin = time.monotonic()
            self.flush()
            self._due.wait(max(0.0, begin + self.settings.record_seconds - time.monotonic()))
            self._due.clear()
        self.flush()

    def _make_files(self) -> None:
        """Turn the predictions that wait into files: one for each version and hour."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        waiting.sort(key=lambda prediction: prediction.group)
        groups = [[*those] for _, those in groupby(waiting, lambda prediction: prediction.group)]
        files = [file for those in groups if (file := self._file(those, self._take_dropped()))]
        size = sum(prediction.size for prediction in waiting)
        with self._lock:
            self._files += files
            self._waiting_bytes -= size
            self._file_bytes += sum(len(file.content) for file in files)

    def _take_dropped(self) -> int:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _drop(self, rows: int, counted: int) -> None:
        """Count rows that are not recorded for the next file, with those `counted` in a file that is lost itself."""
        metrics.DROPPED.inc(rows)
        with self._lock:
            self._dropped += rows + counted

    def _file(self, predictions: Sequence[Prediction], dropped: int) -> _File | None:
        """The file of predictions of one version and hour, which are counted; None for those that it cannot hold."""
        rows = sum(map(len, predictions))
        try:
            self._hourly.add(predictions)
        except Exception:  # a bug, which must not end the recording
            traceback.print_exc(file=sys.stderr)
        try:
            return _File(name(predictions[0].group), content(predictions, dropped), rows, time.monotonic(), dropped)
        except Exception:  # a bug, which must not end the recording
            traceback.print_exc(file=sys.stderr)
            self._drop(rows, dropped)
            return None

    def _forget(self, file: _File) -> None:
        with self._lock:
            self._files.remove(file)
            self._file_bytes -= len(file.content)

    def _tell_failing(self, error: Exception) -> None:
        """Tell it once, until a file is written again."""
        if not self._failing:
            self._failing = True
            reason = getattr(error, "strerror", None) or type(error).__name__
            cure = f"for {limits.RECORD_KEPT_SECONDS:g} seconds it is tried again, then dropped"
            place = redacted(self.settings.record)
            self.tell(messages(InputError(place, "a store that takes predictions", reason, cure))[0])


def recorder(settings: Settings, tell: Callable[[str], None]) -> Recorder | None:
    """What records the predictions; None where nothing is recorded."""
    return Recorder(settings, tell) if settings.record else None


def store(place: str) -> Callable[[str, bytes], None]:
    """What writes a file at a place, by its path there."""
    if "://" not in place:
        folder = Path(place).absolute()
        return lambda path, content: _write(folder / path, content)
    # A request that was given up shall end soon.
    timeouts = {"connect_timeout": limits.STORE_CONNECT_SECONDS, "read_timeout": limits.STORE_READ_SECONDS}
    system, prefix = fsspec.core.url_to_fs(place.rstrip("/"), skip_instance_cache=True, config_kwargs=timeouts)

    def put(path: str, content: bytes) -> None:
        within(limits.STORE_ANSWER_SECONDS, lambda: system.pipe_file(f"{prefix}/{path}", content))

    return put


def _write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it: whoever reads it, also after a crash, finds it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
