"""Reads the header of CSV files, and checks for errors that DuckDB does not detect or does not report clearly."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tidegate.process.errors import InputError, display

CHUNK_BYTES = 1 << 20
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed; InputError if it is truncated or is not of the format of its ending."""
    kind = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with _stream(path, kind) as stream:
            yield stream
    except (OSError, EOFError, zlib.error):
        if kind is None:
            raise
        raise InputError(path, f"a complete {kind} file", "a truncated or damaged one", "create it again") from None


def _stream(path: Path, kind: str | None) -> Any:
    if kind == "zstd":
        import pyarrow

        return pyarrow.input_stream(str(path), compression=kind)
    return gzip.open(path) if kind == "gzip" else path.open("rb")


def header(path: Path) -> list[str]:
    """The column names in the first line; InputError if there are none, or the file is truncated or has a NUL byte."""
    _check_bytes(path)
    with opened(path) as stream:
        # DuckDB reports invalid UTF-8 in the rows, with its line.
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            names = next(csv.reader(text, strict=True), None)
        except csv.Error:
            raise unended(f"{path}:1") from None
    if names is None:
        raise InputError(path, "column names, then rows", "an empty file", "add them or remove the file")
    _check_names(path, names)
    return names


def _check_bytes(path: Path) -> None:
    """Read the whole file: DuckDB accepts NUL bytes, and the first part of a truncated zstd file."""
    line = 1
    with opened(path) as stream:
        for chunk in _chunks(stream):
            if b"\0" in chunk:
                line += chunk[: chunk.index(b"\0")].count(b"\n")
                raise InputError(f"{path}:{line}", "text", "a NUL byte", "save the file as UTF-8 text")
            line += chunk.count(b"\n")


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(CHUNK_BYTES), b"")


def _check_names(path: Path, names: list[str]) -> None:
    if any("\udc80" <= letter <= "\udcff" for name in names for letter in name):
        raise InputError(f"{path}:1", "UTF-8 text", "another encoding", "save the file as UTF-8")
    for letter, word in SEPARATORS.items():
        if len(names) == 1 and letter in names[0]:
            raise InputError(f"{path}:1", "columns separated by commas", word, "save the file with commas")
    for number, name in enumerate(names or [""], 1):
        if not name.strip():
            raise InputError(f"{path}:1", "a name for each column", f"none for column {number}", "correct that line")
    check_different(f"{path}:1", names)


def check_different(place: object, names: list[str]) -> None:
    """Raise InputError if two names are equal in SQL, which ignores (ASCII) case."""
    seen: dict[bytes, str] = {}
    for name in names:
        key = name.encode(errors="surrogatepass").lower()
        if key in seen:
            both = f"{display(seen[key])} and {display(name)}"
            raise InputError(place, "names that differ by more than upper and lower case", both, "rename one")
        seen[key] = name


def unended(place: str) -> InputError:
    """The error for a quoted value without a closing quote at its end."""
    return InputError(place, "a closing quote at the end of each quoted value", "none", "correct that line")


def line_at(path: Path, position: int) -> int:
    """The line of the byte at a position, both from 1; a row may span several lines."""
    line = 1
    with opened(path) as stream:
        for chunk in _chunks(stream):
            line += chunk[: max(position - 1, 0)].count(b"\n")
            position -= len(chunk)
    return line


def odd_line(path: Path) -> int | None:
    """The first line with another line end than the lines before it, outside of quoted values; None without one."""
    inside, usual = False, ""
    with opened(path) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding="latin-1", newline="\n"), 1):
            inside ^= line.count('"') % 2 == 1
            body = line.rstrip("\r\n")
            end = line[len(body) :]
            usual = usual or end
            if not inside and (end != usual or "\r" in re.sub('"[^"]*"', "", body)):
                return number
    return None
