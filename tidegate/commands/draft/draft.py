"""Drafts what a contract could promise of files: types, nulls, ranges, categories, key and time, all to be checked."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from tidegate.components.ingest.raw_files import read
from tidegate.contract.contract import Table, literal, quoted
from tidegate.tables.engine import cast

KINDS = ("boolean", "integer", "number", "timestamp")
SPELLINGS = ("NA", "N/A", "NULL", "null", "None", "nan", "NaN", "-")
PERSONAL = re.compile(
    r"(?i)(^|_)(e?mail|(first|last|full)_?name|phone|address|street|ssn|birth\w*|passport|iban)(_|$)"
)
PLAIN_NUMBER = r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"
MOST_VALUES = 12
MOST_KEY_COLUMNS = 4


def draft(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Any]:
    """The document of one table as contract.yaml has it, guessed from one file, whose rows are the table `drafted`."""
    connection.execute("DROP TABLE IF EXISTS drafted")
    table = Table(files=path.name, columns={}, key=())
    read(connection, path.parent, "drafted", table)
    names = [row[0] for row in connection.execute("DESCRIBE drafted").fetchall()]
    missing = [] if path.suffix == ".parquet" else _missing(connection, names)
    if missing:
        values = ", ".join(f"nullif({quoted(name)}, {literal(missing[0])}) AS {quoted(name)}" for name in names)
        connection.execute(f"CREATE OR REPLACE TABLE drafted AS SELECT {values} FROM drafted")
    columns = _columns(connection, names)
    time = next(
        (name for name in names if columns[name]["type"] == "timestamp" and "nullable" not in columns[name]), None
    )
    key = _key(connection, columns, time)
    for name in key:
        columns[name].pop("values", None)
        columns[name].pop("range", None)
    spelled = {"missing": missing if len(missing) > 1 else missing[0]} if missing else {}
    return {"files": path.name, **spelled, **({"time": time} if time else {}), "key": key, "columns": columns}


def _missing(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """How a CSV file spells a missing value: the first usual spelling that it has, and nothing if it also has that."""
    conditions = [*(f"{{}} = {literal(text)}" for text in SPELLINGS), "{} IS NULL"]
    found = (" OR ".join(f"bool_or({of.format(quoted(name))})" for name in names) for of in conditions)
    *seen, empty = connection.execute(f"SELECT {', '.join(found)} FROM drafted").fetchall()[0]
    spelled = [text for text, there in zip(SPELLINGS, seen, strict=True) if there][:1]
    return [*spelled, *([""] if spelled and empty else [])]


def _columns(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    parts = ["count(*)"]
    for name in names:
        value = quoted(name)
        wrong = [f"count_if({value} IS NOT NULL AND ({_guessed(name, kind)}) IS NULL)" for kind in KINDS]
        parts += [f"count({value})", f"approx_count_distinct({value})", *wrong]
    rows, *found = connection.execute(f"SELECT {', '.join(parts)} FROM drafted").fetchall()[0]
    width = len(found) // len(names)
    measured = {name: found[index * width :][:width] for index, name in enumerate(names)}
    return {name: _column(connection, name, rows, *numbers) for name, numbers in measured.items()}


def _column(
    connection: duckdb.DuckDBPyConnection, name: str, rows: int, known: int, different: int, *wrong: int
) -> dict[str, Any]:
    """A column of which `known` rows have about so many different values, and `wrong` are not of each kind."""
    fits = [kind for kind, count in zip(KINDS, wrong, strict=True) if known and not count]
    found: dict[str, Any] = {"type": fits[0] if fits else "text"}
    if PERSONAL.search(name) or not known:  # what looks personal or is empty goes no further
        return found | {"role": "private"} | ({"nullable": True} if known < rows else {})
    if found["type"] in ("integer", "number"):
        of = cast(quoted(name), found["type"])
        low, high = connection.execute(f"SELECT min({of}), max({of}) FROM drafted").fetchall()[0]
        found["range"] = [low, high]
    elif found["type"] == "text" and 0 < different <= 2 * MOST_VALUES:
        query = f"SELECT DISTINCT {quoted(name)} FROM drafted WHERE {quoted(name)} IS NOT NULL ORDER BY 1"
        texts = [row[0] for row in connection.execute(f"{query} LIMIT {MOST_VALUES + 1}").fetchall()]
        if len(texts) <= MOST_VALUES and len(texts) * 10 <= known:
            found["values"] = texts
    return found | ({"nullable": True} if known < rows else {})


def valueless(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """The drafted columns without a value in any row; none where no row tells anything."""
    counts = ", ".join(f"count({quoted(name)})" for name in names)
    known = connection.execute(f"SELECT {counts} FROM drafted").fetchall()[0]
    return [name for name, count in zip(names, known, strict=True) if not count] if any(known) else []


def _guessed(name: str, kind: str) -> str:
    """As ingest casts; but 0 and 1 are whole numbers, and neither inf nor a leading zero is a number."""
    if kind == "boolean":
        return f"CASE WHEN lower({quoted(name)}) IN ('true', 'false') THEN {cast(quoted(name), kind)} END"
    if kind == "timestamp":
        return f"CASE WHEN {quoted(name)} LIKE '____-__-__%' THEN {cast(quoted(name), kind)} END"
    plain = f"regexp_full_match({quoted(name)}, {literal(PLAIN_NUMBER)})"
    return f"CASE WHEN {plain} THEN {cast(quoted(name), kind)} END"


def key_of_events(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Mapping[str, Any]], time: str
) -> list[str]:
    """The key of rows that must have one: if need be of many columns and of numbers; empty if rows are duplicates."""
    return _key(connection, columns, time) or _key(connection, columns, time, ("none",), len(columns))


def _key(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Mapping[str, Any]],
    time: str | None,
    without: Sequence[str] = ("number",),
    most: int = MOST_KEY_COLUMNS,
) -> list[str]:
    """A column that tells all rows apart; else the time and those that tell most apart; empty if `most` do not do."""
    usable = [
        name
        for name, column in columns.items()
        if column["type"] not in without and "nullable" not in column and column.get("role") != "private"
    ]
    usable.sort(key=lambda name: (name != time, list(columns).index(name)))
    rows = connection.execute("SELECT count(*) FROM drafted").fetchall()[0][0]
    alone = _different(connection, [[name] for name in usable])
    key = [name for name, count in zip(usable, alone, strict=True) if count == rows][:1]
    if key or not usable:
        return key
    key = [time] if time else []
    while len(key) < most and (rest := [name for name in usable if name not in key]):
        counts = _different(connection, [[*key, name] for name in rest])
        key.append(rest[counts.index(max(counts))])
        if max(counts) == rows:
            return key
    return []


def _different(connection: duckdb.DuckDBPyConnection, sets: Sequence[Sequence[str]]) -> list[int]:
    """How many different rows each set of columns has."""
    if not sets:
        return []
    counts = ", ".join(f"count(DISTINCT hash({', '.join(map(quoted, names))}))" for names in sets)
    return list(connection.execute(f"SELECT {counts} FROM drafted").fetchall()[0])


def private_because(name: str) -> str:
    """Why a drafted column is private, as a remark for the person who checks it."""
    return "looks personal" if PERSONAL.search(name) else "no value in any row"
