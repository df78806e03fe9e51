"""Detects how a CSV file is written: its encoding and delimiter, and whether names stand in its first line."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tidegate.tables.delimited import CELL, SPACES, opened

CHUNK_BYTES = 1 << 20
HEAD_LINES = 200
DELIMITERS = (",", ";", "\t", "|")
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Of the lines after the first row; fewer are no table.
ALIKE, ALIKE_WITH_SPACES = 0.9, 0.99
VALUE = re.compile(r"\s*([-+]?[0-9]+([.,][0-9]+)*([eE][-+]?[0-9]+)?%?|[0-9]{1,4}([-/.:T ]+[0-9]+)+Z?)\s*")


def spelling(path: Path, names: Sequence[str] = ()) -> dict[str, Any]:
    """The keys of a table in contract.yaml that say how it is written; defaults are omitted.

    `names` are names of columns, if some are known: a line that has one of them has names.
    """
    encoding = _encoding(path)
    with opened(path, encoding) as stream:
        lines = [line.decode("utf-8", "replace").removeprefix("\ufeff") for line in islice(stream, HEAD_LINES)]
    delimiter = _delimiter(lines)
    rows = _rows(lines, delimiter)
    first = _first(rows)
    header = _header(rows[first:], names)
    usual = {"delimiter": ",", "encoding": "utf-8", "header": "names", "skip_lines": 0}
    written = {"delimiter": delimiter, "encoding": encoding, "header": header, "skip_lines": first}
    return {key: value for key, value in written.items() if value != usual[key]}


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
    """The delimiter by which most lines have the same number of cells, more than one; spaces only if no other does.

    A comma if none does.
    """
    ranked = {delimiter: _agreement(_rows(lines, delimiter)) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: ranked[delimiter])
    if ranked[best] == (0.0, 0) and _agreement(_rows(lines, SPACES)) >= (ALIKE_WITH_SPACES, 2):
        return SPACES
    return best


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The cells of each line; a row of several lines stands in its last one. Nothing if a quoted cell has no end."""
    if delimiter == SPACES:
        return [[cell.decode().strip('"') for cell in CELL.findall(line.encode())] for line in lines]
    rows: list[list[str]] = []
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            rows += [[] for _ in range(reader.line_num - len(rows) - 1)] + [row]
    except csv.Error:
        return []
    return rows


def _width(rows: Sequence[Sequence[str]]) -> int:
    """The number of cells that most rows have; 0 without rows."""
    counts = Counter(len(row) for row in rows if row)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _agreement(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """The share of the rows that have as many cells as most, and that number; nothing if it is one."""
    width, filled = _width(rows), [row for row in rows if row]
    if width < 2:
        return 0.0, 0
    return sum(len(row) == width for row in filled) / len(filled), width


def _first(rows: Sequence[Sequence[str]]) -> int:
    """The index of the first row that is as wide as most, or narrower by the first name; 0 if no table follows."""
    width = _width(rows)
    if width < 2 or (rows and len(rows[0]) in (width, width - 1) and len(rows[0]) > 1):
        return 0
    first = next(place for place, row in enumerate(rows) if len(row) == width)
    above = rows[first - 1] if first else []
    first -= len(above) == width - 1 > 1
    after = [row for row in rows[first + 1 :] if row]
    return first if after and sum(len(row) == width for row in after) >= ALIKE * len(after) else 0


def _header(rows: Sequence[Sequence[str]], names: Sequence[str]) -> str:
    """Whether the first row has names: for each column, for each but the first, or none."""
    after = [row for row in rows[1:] if row]
    if not after or set(names) & set(rows[0]):
        return "row_names" if after and _lacks_first(rows[0], after) else "names"
    if _lacks_first(rows[0], after):
        return "row_names"
    columns = [*zip(*(row for row in after if len(row) == len(rows[0])), strict=True)]
    of_values = [place for place, cells in enumerate(columns) if all(map(_is_value, filter(str.strip, cells)))]
    named = [place for place in of_values if rows[0][place].strip() and not _is_value(rows[0][place])]
    valued = [place for place in of_values if any(map(str.strip, columns[place])) and _is_value(rows[0][place])]
    return "none" if valued and not named else "names"


def _lacks_first(first: Sequence[str], after: Sequence[Sequence[str]]) -> bool:
    """Whether each row has one cell more than the first one, and begins with a name of its own."""
    beginnings = [row[0] for row in after]
    return (
        len(first) > 1
        and all(len(row) == len(first) + 1 for row in after)
        and len(set(beginnings)) == len(beginnings)
        and any(row[-1].strip() for row in after)
    )


def _is_value(cell: str) -> bool:
    """Whether a cell is a number or a time, as names of columns seldom are."""
    return VALUE.fullmatch(cell) is not None
