"""One event among the recorded predictions: the files that hold it, and its removal from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted
from tidegate.serving.recorder import store
from tidegate.serving.recordings import CURE, ENDING, KEY, opened

Identity = Mapping[str, Any]


@dataclass(frozen=True)
class Recorded:
    """A file of a place, by its path there, and how many of its rows are of an event; `rest` are the others."""

    path: str
    rows: int
    rest: int


def holding(place: str, identity: Identity) -> list[Recorded]:
    """The files with rows of the event of this identity, values by column; UnavailableError without a store's answer.

    A file that is damaged or of another form cannot be searched: InputError names it, so that nothing is missed.
    """
    return [file for path in _paths(place) if (file := _holding(place, path, identity))]


def erase(place: str, files: list[Recorded], identity: Identity) -> None:
    """Remove the rows of the event from these files; each is replaced as a whole, or removed where nothing is left."""
    system, folder = opened(place)
    put = store(place)
    for file in files:
        if file.rest:
            table = _asked(place, lambda path=file.path: _read(system, f"{folder}/{path}", None))
            sink = pa.BufferOutputStream()
            pq.write_table(table.filter(pc.invert(_is_of(table, identity))), sink, compression="zstd")
            put(file.path, sink.getvalue().to_pybytes())
        else:
            _asked(place, lambda path=file.path: system.rm_file(f"{folder}/{path}"))


def _paths(place: str) -> Iterator[str]:
    system, folder = opened(place)
    paths = _asked(place, lambda: system.find(folder))
    for path in sorted(map(str, paths)):
        if path.endswith(ENDING):
            yield path.removeprefix(folder.rstrip("/") + "/")


def _holding(place: str, path: str, identity: Identity) -> Recorded | None:
    system, folder = opened(place)
    columns = [KEY + name for name in identity]
    try:
        table = _asked(place, lambda: _read(system, f"{folder}/{path}", columns))
        rows = int(pc.sum(_is_of(table, identity)).as_py() or 0)
    except (pa.ArrowException, KeyError, ValueError):
        cure = "move it away, or remove it with `tidegate prune`"
        raise InputError(f"{redacted(place)}: {path}", "a file of recorded predictions", "another one", cure) from None
    return Recorded(path, rows, len(table) - rows) if rows else None


def _read(system: Any, path: str, columns: list[str] | None) -> pa.Table:
    with system.open(path, "rb") as file:
        return pq.read_table(file, columns=columns)


def _is_of(table: pa.Table, identity: Identity) -> pa.ChunkedArray:
    """Whether each row is of the event; a request of features has no identity, and is of none."""
    same = [pc.equal(table[KEY + name], pa.scalar(value, table[KEY + name].type)) for name, value in identity.items()]
    return pc.fill_null(reduce(pc.and_, same), False)


def _asked(place: str, question: Any) -> Any:
    """The answer of a store; UnavailableError without one."""
    try:
        return within(limits.MOST_TRANSFER_SECONDS, question)
    except (pa.ArrowException, KeyError, ValueError):
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(redacted(place), "recorded predictions", "nothing", CURE) from None
    except Exception as error:  # each kind of store has its own
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UnavailableError(redacted(place), "an answer", reason, CURE) from None
