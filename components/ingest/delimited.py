"""Reads the header of CSV files, and checks for errors that DuckDB does not detect or does not report clearly."""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tidegate.contract.names import folded
from tidegate.process.errors import InputError, display

CHUNK_BYTES = 1 << 20
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


class _Recoded(io.RawIOBase):
    """A stream that converts text of any encoding to UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream, self._decoder = stream, codecs.getincrementaldecoder(encoding)("strict")
        self._ready, self._ended = b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            read = self._stream.read(CHUNK_BYTES)
            self._ended = not read
            self._ready = self._decoder.decode(read, final=self._ended).encode("utf-8", "surrogatepass")
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def is_utf8(encoding: str) -> bool:
    """Whether this names UTF-8, which needs no conversion."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


@contextmanager
def opened(path: Path, encoding: str = "utf-8") -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed and as UTF-8; InputError if it is truncated or of another format."""
    kind = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with _stream(path, kind) as stream:
            yield stream if is_utf8(encoding) else io.BufferedReader(_Recoded(stream, encoding), CHUNK_BYTES)
    except UnicodeDecodeError as error:
        found = f"bytes that it does not have ({error.reason})"
        raise InputError(path, f"text in {encoding}", found, "correct `encoding` in contract.yaml") from None
    except (OSError, EOFError, zlib.error):
        if kind is None:
            raise
        raise InputError(path, f"a complete {kind} file", "a truncated or damaged one", "create it again") from None


def _stream(path: Path, kind: str | None) -> Any:
    if kind == "zstd":
        import pyarrow

        return pyarrow.input_stream(str(path), compression=kind)
    return gzip.open(path) if kind == "gzip" else path.open("rb")


def header(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> list[str]:
    """The column names in the first line; InputError if there are none, or the file is truncated or has a NUL byte.

    A column without a name, such as that of row numbers, is called by its position: column_1.
    """
    _check_bytes(path, encoding)
    with opened(path, encoding) as stream:
        # DuckDB reports invalid UTF-8 in the rows, with its line.
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            names = next(csv.reader(text, strict=True, delimiter=delimiter), None)
        except csv.Error:
            raise unended(f"{path}:1") from None
    if names is None:
        raise InputError(path, "column names, then rows", "an empty file", "add them or remove the file")
    names = [name if name.strip() else f"column_{number}" for number, name in enumerate(names, 1)]
    _check_names(path, names, delimiter)
    return names


def _check_bytes(path: Path, encoding: str) -> None:
    """Read the whole file: DuckDB accepts NUL bytes, and the first part of a truncated zstd file."""
    line = 1
    with opened(path, encoding) as stream:
        for chunk in _chunks(stream):
            if b"\0" in chunk:
                line += chunk[: chunk.index(b"\0")].count(b"\n")
                raise InputError(f"{path}:{line}", "text", "a NUL byte", "save the file as UTF-8 text")
            line += chunk.count(b"\n")


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(CHUNK_BYTES), b"")


def _check_names(path: Path, names: list[str], delimiter: str) -> None:
    if any("\udc80" <= letter <= "\udcff" for name in names for letter in name):
        raise other_encoding(f"{path}:1")
    for letter, word in SEPARATORS.items():
        if len(names) == 1 and letter != delimiter and letter in names[0]:
            expected = f"columns separated by {SEPARATORS.get(delimiter, repr(delimiter))}"
            raise InputError(f"{path}:1", expected, word, f"say `delimiter: {json.dumps(letter)}` in contract.yaml")
    if not names:
        raise InputError(f"{path}:1", "a name for each column", "none for column 1", "correct that line")
    check_different(f"{path}:1", names)


def check_different(place: object, names: list[str]) -> None:
    """Raise InputError if two names are equal in SQL, which ignores (ASCII) case."""
    names_by_key: dict[str, str] = {}
    for name in names:
        key = folded(name)
        if key in names_by_key:
            pair = f"{display(names_by_key[key])} and {display(name)}"
            raise InputError(place, "names that differ by more than upper and lower case", pair, "rename one")
        names_by_key[key] = name


def other_encoding(place: str) -> InputError:
    """The error for bytes that are not UTF-8."""
    cure = "say `encoding`, such as latin-1, in contract.yaml or save the file as UTF-8"
    return InputError(place, "UTF-8 text", "another encoding", cure)


def unended(place: str) -> InputError:
    """The error for a quoted value without a closing quote at its end."""
    return InputError(place, "a closing quote at the end of each quoted value", "none", "correct that line")


def line_at(path: Path, position: int, encoding: str) -> int:
    """The line of the byte at a position, both from 1; a row may span several lines."""
    line = 1
    with opened(path, encoding) as stream:
        for chunk in _chunks(stream):
            line += chunk[: max(position - 1, 0)].count(b"\n")
            position -= len(chunk)
    return line


def odd_line(path: Path, encoding: str) -> int | None:
    """The first line with another line end than the lines before it, outside of quoted values; None without one."""
    inside, usual = False, ""
    with opened(path, encoding) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding="latin-1", newline="\n"), 1):
            inside ^= line.count('"') % 2 == 1
            body = line.rstrip("\r\n")
            end = line[len(body) :]
            usual = usual or end
            if not inside and (end != usual or "\r" in re.sub('"[^"]*"', "", body)):
                return number
    return None
