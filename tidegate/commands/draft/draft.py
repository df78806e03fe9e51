"""Drafts the contract of a table from a file: types, nulls, ranges, categories, key and time, to be checked."""

import re
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any

import duckdb

from tidegate.commands.draft.column_names import joined, renamed
from tidegate.commands.draft.forms import (
    Form,
    is_number,
    number_form,
    parquet_kinds,
    parquet_number,
    plain_text,
    sentinels,
    time_form,
)
from tidegate.commands.draft.primary_key import key_of_rows
from tidegate.commands.draft.sniffed import spelling
from tidegate.components.ingest.raw_files import read
from tidegate.contract.contract import Column, Table, literal, quoted
from tidegate.contract.names import reserved
from tidegate.process.errors import InputError
from tidegate.tables.engine import cast, columns_of, parquet
from tidegate.tables.raw_file import check_readable

KINDS = ("boolean", "integer", "number", "timestamp")
SPELLINGS = ("NA", "N/A", "NULL", "null", "None", "nan", "NaN", "-", "?", "n/a", "#N/A", "<NA>", "\\N")
PERSONAL = re.compile(
    r"(?i)(^|_)(e?mail|(first|last|full)_?name|phone|address|street|ssn|birth\w*|passport|iban)(_|$)"
)
MOST_VALUES = 12
UNTIMED_SHARE = 0.01  # of the rows; more without a time are an error


def draft(
    connection: duckdb.DuckDBPyConnection, path: Path, time: str = "", names: Sequence[str] = ()
) -> dict[str, Any]:
    """The document of one table as contract.yaml has it, guessed from one file, whose rows are the table `drafted`.

    There they are in the usual spelling, under the contract's names. `time` is a column, or several with commas
    between them; `names` are those of the columns of a file without names; `notes` are remarks on columns for the
    person who checks the draft.
    """
    spelled = _read(connection, path, time, names)
    origins = renamed(connection) | joined(connection, time)
    names = list(columns_of(connection, "drafted"))
    if len(names) > 1:
        connection.execute(f"DELETE FROM drafted WHERE coalesce({', '.join(map(quoted, names))}) IS NULL")
    missing = [] if path.suffix == ".parquet" else _missing(connection, names)
    if missing:
        absent = f"CASE WHEN {{0}} NOT IN ({', '.join(map(literal, missing))}) THEN {{0}} END"
        _replace(connection, {name: absent.format(quoted(name)) for name in names})
    named = next((name for name, parts in origins.items() if time in (name, ",".join(parts))), time)
    forms = _forms(connection, path, names, named, spelled.get("delimiter", ","))
    notes = _notes(connection, names, origins, forms)
    _replace(connection, {name: plain_text(name, form) for name, form in forms.items() if form.format or form.missing})
    if named in forms:
        _without_time(connection, named)
    columns = _columns(connection, names, forms, origins)
    first = next(
        (name for name in names if columns[name]["type"] == "timestamp" and "nullable" not in columns[name]), None
    )
    key = key_of_rows(connection, columns, first)
    for name in key:
        columns[name].pop("values", None)
        columns[name].pop("range", None)
    spelled |= {"missing": missing if len(missing) > 1 else missing[0]} if missing else {}
    document = {"files": escape(path.name), **spelled, **({"time": first} if first else {}), "key": key}
    return {**document, "columns": columns, **({"notes": notes} if notes else {})}


def _read(connection: duckdb.DuckDBPyConnection, path: Path, time: str, names: Sequence[str]) -> dict[str, Any]:
    """Create the table `drafted` of the file's texts; returns the keys of contract.yaml that say how it is written."""
    connection.execute("DROP TABLE IF EXISTS drafted")
    check_readable(path)
    if names and path.suffix == ".parquet":
        raise InputError("--names", "a CSV file", path.name, "leave it out: Parquet has names")
    spelled = {} if path.suffix == ".parquet" else spelling(path, time.split(","))
    spelled |= {"header": "none"} if names else {}
    promised = {name: Column("text") for name in names}
    read(connection, [path], "drafted", Table(files=escape(path.name), columns=promised, key=(), **spelled))
    return spelled


def _replace(connection: duckdb.DuckDBPyConnection, values: Mapping[str, str]) -> None:
    if values:
        replaced = ", ".join(f"{value} AS {quoted(name)}" for name, value in values.items())
        connection.execute(f"CREATE OR REPLACE TABLE drafted AS SELECT * REPLACE ({replaced}) FROM drafted")


def _without_time(connection: duckdb.DuckDBPyConnection, time: str) -> None:
    """Drop the rows without a readable time if they are few; validation quarantines them."""
    rows, timed = connection.execute(f"SELECT count(*), count({quoted(time)}) FROM drafted").fetchall()[0]
    if rows - timed <= rows * UNTIMED_SHARE:
        connection.execute(f"DELETE FROM drafted WHERE {quoted(time)} IS NULL")


def _missing(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """The usual spellings of a missing value that a CSV file has, and the empty text if it occurs as well."""
    conditions = [*(f"{{}} = {literal(text)}" for text in SPELLINGS), "{} IS NULL"]
    tests = (" OR ".join(f"bool_or({of.format(quoted(name))})" for name in names) for of in conditions)
    *occurrences, empty = connection.execute(f"SELECT {', '.join(tests)} FROM drafted").fetchall()[0]
    spelled = [text for text, there in zip(SPELLINGS, occurrences, strict=True) if there]
    return [*spelled, *([""] if spelled and empty else [])]


def _forms(
    connection: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str], time: str, delimiter: str
) -> dict[str, Form]:
    """The type of each column, with its format if that is not the default."""
    own = columns_of(connection, parquet(path)) if path.suffix == ".parquet" else {}
    parts = ["count(*)"]
    for name in names:
        value = quoted(name)
        parts.append(f"count({value})")
        parts += [f"count_if({value} IS NOT NULL AND ({_guessed(name, kind)}) IS NULL)" for kind in KINDS]
    _, *counts = connection.execute(f"SELECT {', '.join(parts)} FROM drafted").fetchall()[0]
    width = len(KINDS) + 1
    forms = {}
    for index, name in enumerate(names):
        filled, *wrong = counts[index * width :][:width]
        fits = [kind for kind, count in zip(KINDS, wrong, strict=True) if filled and not count]
        promised = parquet_kinds(own[name]) if name in own else KINDS
        kind = next((kind for kind in fits if kind in promised), "text")
        forms[name] = _form(connection, name, kind, time, delimiter, name not in own) if filled else Form("text")
        if name in own and "number" in promised and filled:
            forms[name] = parquet_number(connection, name)
    return {name: _with_sentinels(connection, name, form) if name != time else form for name, form in forms.items()}


def _form(connection: duckdb.DuckDBPyConnection, name: str, kind: str, time: str, delimiter: str, guess: bool) -> Form:
    """The type and format of a column of texts: the default format if it fits, else one that does."""
    if name == time and kind != "timestamp":
        return time_form(connection, name, kind, UNTIMED_SHARE) or Form(kind)
    if kind != "text":
        return Form(kind)
    number = number_form(connection, name, delimiter) if guess else None
    return number or time_form(connection, name, kind) or Form(kind)


def _with_sentinels(connection: duckdb.DuckDBPyConnection, name: str, form: Form) -> Form:
    if form.type not in ("integer", "number"):
        return form
    return Form(form.type, form.format, (*form.missing, *sentinels(connection, name, form)))


def _notes(
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    origins: Mapping[str, Sequence[str]],
    forms: Mapping[str, Form],
) -> dict[str, str]:
    """A remark with an example for each column that does not have the default format."""
    notes = {}
    for name in names:
        remarks = []
        if name in origins and len(origins[name]) == 1:
            why = "one that Tidegate uses itself" if reserved(origins[name][0]) else "too long"
            remarks.append(f"the name in the file is {why}")
        if forms[name].format and not PERSONAL.search(name):
            query = f"SELECT {quoted(name)} FROM drafted WHERE {quoted(name)} IS NOT NULL ORDER BY rowid LIMIT 1"
            remarks.append(f"such as {connection.execute(query).fetchall()[0][0]}")
        if forms[name].missing and not PERSONAL.search(name):
            remarks.append(
                f"{', '.join(map(str, forms[name].missing))} stand{'s' * (len(forms[name].missing) == 1)} for none"
            )
        if remarks:
            notes[name] = "; ".join(remarks)
    return notes


def _columns(
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    forms: Mapping[str, Form],
    origins: Mapping[str, list[str]],
) -> dict[str, dict[str, Any]]:
    parts = ["count(*)"]
    for name in names:
        parts += [f"count({quoted(name)})", f"approx_count_distinct({quoted(name)})"]
    rows, *counts = connection.execute(f"SELECT {', '.join(parts)} FROM drafted").fetchall()[0]
    columns = {}
    for index, name in enumerate(names):
        form, of = forms[name], origins.get(name, [])
        promise: dict[str, Any] = {"type": form.type} | ({"from": of if len(of) > 1 else of[0]} if of else {})
        promise |= {"format": form.format} if form.format else {}
        promise |= {"missing": list(form.missing)} if form.missing else {}
        columns[name] = _column(connection, name, rows, promise, *counts[2 * index : 2 * index + 2])
    return columns


def _column(
    connection: duckdb.DuckDBPyConnection, name: str, rows: int, promise: dict[str, Any], filled: int, different: int
) -> dict[str, Any]:
    """A column whose form is `promise`, of which `filled` rows have about so many different values."""
    if PERSONAL.search(name) or not filled:  # personal or empty: private
        return promise | {"role": "private"} | ({"nullable": True} if filled < rows else {})
    if promise["type"] in ("integer", "number"):
        of = cast(quoted(name), promise["type"])
        low, high = connection.execute(f"SELECT min({of}), max({of}) FROM drafted").fetchall()[0]
        promise["range"] = [low, high]
    elif promise["type"] == "text" and 0 < different <= 2 * MOST_VALUES:
        query = f"SELECT DISTINCT {quoted(name)} FROM drafted WHERE {quoted(name)} IS NOT NULL ORDER BY 1"
        texts = [row[0] for row in connection.execute(f"{query} LIMIT {MOST_VALUES + 1}").fetchall()]
        if len(texts) <= MOST_VALUES and len(texts) * 10 <= filled:
            promise["values"] = texts
    return promise | ({"nullable": True} if filled < rows else {})


def _guessed(name: str, kind: str) -> str:
    """As ingest casts, except that 0 and 1 are integers, and `inf` and numbers with leading zeros are texts."""
    value = quoted(name)
    if kind == "boolean":
        return f"CASE WHEN lower({value}) IN ('true', 'false') THEN {cast(value, kind)} END"
    if kind == "timestamp":
        day = r"\s*[0-9]{4}([-/])[0-9]{1,2}[-/][0-9]{1,2}([ T].*)?"
        return f"CASE WHEN regexp_full_match({value}, {literal(day)}) THEN {cast(value, kind)} END"
    return f"CASE WHEN {is_number(value)} THEN {cast(value, kind)} END"


def private_because(name: str) -> str:
    """Why a drafted column is private, as a comment."""
    return "looks personal" if PERSONAL.search(name) else "no value in any row"
