"""Detects the encoding and the delimiter of a CSV file."""

import codecs
import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from tidegate.components.ingest.delimited import opened

CHUNK_BYTES = 1 << 20
HEAD_LINES = 200
DELIMITERS = (",", ";", "\t", "|")
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def spelling(path: Path) -> dict[str, str]:
    """`delimiter` and `encoding` as in contract.yaml; defaults are omitted."""
    encoding = _encoding(path)
    with opened(path, encoding) as stream:
        lines = [line.decode("utf-8", "replace") for line in islice(stream, HEAD_LINES)]
    delimiter = _delimiter(lines)
    return ({"delimiter": delimiter} if delimiter != "," else {}) | (
        {"encoding": encoding} if encoding != "utf-8" else {}
    )


def _encoding(path: Path) -> str:
    """The encoding of the byte order mark, else UTF-8, Windows-1252 or Latin-1: the first that decodes the file."""
    with opened(path) as stream:
        head = stream.read(4)
    encoding = next((name for bom, name in BOMS.items() if head.startswith(bom)), "")
    return encoding or next(name for name in ("utf-8", "windows-1252", "latin-1") if _decodes(path, name))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with opened(path) as stream:
        try:
            for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter by which most lines have as many cells as the first; a comma if none gives several cells."""
    ranked = {delimiter: _agreement(lines, delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: ranked[delimiter])


def _agreement(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]
