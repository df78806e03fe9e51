"""Reads the header of CSV files, and checks for errors that DuckDB does not detect or does not report clearly."""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from tidegate.contract.contract import Table
from tidegate.contract.names import folded
from tidegate.process.errors import InputError, display

CHUNK_BYTES = 1 << 20
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SPACES = "spaces"  # any number of spaces and tabs
CELL = re.compile(rb'"(?:[^"]|"")*"|[^ \t\r\n]+')


class _Converted(io.RawIOBase):
    """A stream of parts, each made when it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._ready = parts, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and (part := next(self._parts, None)) is not None:
            self._ready = part
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _recoded(stream: IO[bytes], encoding: str) -> Iterator[bytes]:
    """Text of any encoding as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    for chunk in _chunks(stream):
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _tabbed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of cells between any number of spaces, with a tab between two cells; quoted cells end on their line."""
    for line in lines:
        body = line.rstrip(b"\r\n")
        yield b"\t".join(CELL.findall(body)) + line[len(body) :]


def is_utf8(encoding: str) -> bool:
    """Whether this names UTF-8, which needs no conversion."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


@contextmanager
def opened(path: Path, encoding: str = "utf-8", delimiter: str = ",") -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed, as UTF-8, and with tabs instead of spaces where those separate its cells.

    InputError if it is truncated or of another format.
    """
    kind = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with _stream(path, kind) as stream:
            text = stream if is_utf8(encoding) else _stream_of(_recoded(stream, encoding))
            yield _stream_of(_tabbed(text)) if delimiter == SPACES else text
    except UnicodeDecodeError as error:
        found = f"bytes that it does not have ({error.reason})"
        raise InputError(path, f"text in {encoding}", found, "correct `encoding` in contract.yaml") from None
    except (OSError, EOFError, zlib.error):
        if kind is None:
            raise
        raise InputError(path, f"a complete {kind} file", "a truncated or damaged one", "create it again") from None


def _stream_of(parts: Iterator[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Converted(parts), CHUNK_BYTES)


def separator(table: Table) -> str:
    """The character between two cells of what `opened` gives."""
    return "\t" if table.delimiter == SPACES else table.delimiter


def _stream(path: Path, kind: str | None) -> Any:
    if kind == "zstd":
        import pyarrow

        return pyarrow.input_stream(str(path), compression=kind)
    return gzip.open(path) if kind == "gzip" else path.open("rb")


def header(path: Path, table: Table) -> list[str]:
    """The column names in the first line; InputError if there are none, or the file is truncated or has a NUL byte.

    A column without a name, such as that of row numbers, is called by its position: column_1. So are, in files
    without names, the columns behind those of the contract.
    """
    _check_bytes(path, table.encoding)
    cells, line = _first_cells(path, table), table.skip_lines + 1
    if table.header == "none":
        known = table.in_files()[: len(cells)]
        return [*known, *(f"column_{number}" for number in range(len(known) + 1, len(cells) + 1))]
    names = ["", *cells] if table.header == "row_names" else cells
    names = [name if name.strip() else f"column_{number}" for number, name in enumerate(names, 1)]
    _check_names(f"{path}:{line}", names, table.delimiter)
    return names


def _first_cells(path: Path, table: Table) -> list[str]:
    """The cells of the first line after those that are skipped."""
    with opened(path, table.encoding, table.delimiter) as stream:
        # DuckDB reports invalid UTF-8 in the rows, with its line.
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        for _ in islice(text, table.skip_lines):
            pass
        try:
            cells = next(csv.reader(text, strict=True, delimiter=separator(table)), None)
        except csv.Error:
            raise unended(f"{path}:{table.skip_lines + 1}") from None
    if cells is None:
        expected = "rows" if table.header == "none" else "column names, then rows"
        raise InputError(path, expected, "an empty file", "add them or remove the file")
    return cells


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


def _check_names(place: str, names: list[str], delimiter: str) -> None:
    if any("\udc80" <= letter <= "\udcff" for name in names for letter in name):
        raise other_encoding(place)
    for letter, word in SEPARATORS.items():
        if len(names) == 1 and letter != delimiter and letter in names[0]:
            expected = f"columns separated by {SEPARATORS.get(delimiter, repr(delimiter))}"
            raise InputError(place, expected, word, f"say `delimiter: {json.dumps(letter)}` in contract.yaml")
    if not names:
        raise InputError(place, "a name for each column", "none for column 1", "correct that line")
    check_different(place, names)


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


def line_at(path: Path, position: int, table: Table) -> int:
    """The line of the row at the position of a byte, both from 1.

    A row may span several lines; DuckDB counts empty lines before a row as its beginning.
    """
    line, before = 1, position - 1
    with opened(path, table.encoding, table.delimiter) as stream:
        for chunk in _chunks(stream):
            line += chunk[: max(before, 0)].count(b"\n")
            rest = chunk[max(before, 0) :]
            line += rest[: len(rest) - len(rest.lstrip(b"\r\n"))].count(b"\n")
            if rest.lstrip(b"\r\n"):
                break
            before -= len(chunk)
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
