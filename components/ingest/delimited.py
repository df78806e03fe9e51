"""CSV files before DuckDB reads them: their names, and the troubles that it would not see or not tell in one line."""

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
    """The bytes of a file, decompressed; InputError when it is cut off or is not what its ending says."""
    kind = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with _stream(path, kind) as stream:
            yield stream
    except (OSError, EOFError, zlib.error):
        if kind is None:
            raise
        raise InputError(path, f"a whole {kind} file", "one that is cut off or damaged", "make it again") from None


def _stream(path: Path, kind: str | None) -> Any:
    if kind == "zstd":
        import pyarrow

        return pyarrow.input_stream(str(path), compression=kind)
    return gzip.open(path) if kind == "gzip" else path.open("rb")


def header(path: Path) -> list[str]:
    """The names in the first line; InputError for a file that has none, is cut off or holds a NUL byte."""
    _check_bytes(path)
    with opened(path) as stream:
        # What is no UTF-8 further down is for DuckDB to tell, with its line.
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            names = next(csv.reader(text, strict=True), None)
        except csv.Error:
            raise unended(f"{path}:1") from None
    if names is None:
        raise InputError(path, "the names of the columns, then rows", "an empty file", "add them or remove the file")
    _check_names(path, names)
    return names


def _check_bytes(path: Path) -> None:
    """Read every byte once: DuckDB takes a NUL byte for a letter, and a part of a zstd file for all of it."""
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
            raise InputError(f"{path}:1", "a name for each column", f"none for column {number}", "mend that line")
    check_different(f"{path}:1", names)


def check_different(place: object, names: list[str]) -> None:
    """InputError when two columns have one name, which SQL says of names that differ in (ASCII) case only."""
    seen: dict[bytes, str] = {}
    for name in names:
        key = name.encode(errors="surrogatepass").lower()
        if key in seen:
            both = f"{display(seen[key])} and {display(name)}"
            raise InputError(place, "names that differ by more than upper and lower case", both, "rename one")
        seen[key] = name


def unended(place: str) -> InputError:
    """The error of a quote that does not end with its value."""
    return InputError(place, "quotes that end with their value", "one that does not", "mend that line")


def line_at(path: Path, position: int) -> int:
    """The line of the byte at a position, from 1; values may hold line ends, so that rows are not lines."""
    line = 1
    with opened(path) as stream:
        for chunk in _chunks(stream):
            line += chunk[: max(position - 1, 0)].count(b"\n")
            position -= len(chunk)
    return line


def odd_line(path: Path) -> int | None:
    """The first line that ends otherwise than the lines before it, values in quotes left aside."""
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
