"""Names of columns: those that a file has not, those that cannot stay, and those that a person chooses."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from tidegate.commands.draft.flow import flow
from tidegate.contract.contract import quoted
from tidegate.contract.names import folded, reserved
from tidegate.documents.schema import hint, listed
from tidegate.process.errors import InputError
from tidegate.tables.delimited import check_different
from tidegate.tables.engine import columns_of

MOST_LETTERS = 1000  # YAML limits a simple key to 1024
LONG_LETTERS = 60
NO_DATE = re.compile(r"(?i)(^|_)(quarter|qtr|q|week)(_|$)")  # 1 to 4 would be read as a month


def stated(text: str) -> list[str]:
    """The names of --names; InputError if two are equal or one is empty."""
    names = [name.strip() for name in text.split(",")] if text else []
    if not all(names):
        raise InputError("--names", "a name for each column", "none for one of them", "correct it")
    check_different("--names", names)
    return names


def chosen(table: Mapping[str, Any], file: Path, label: str, time: str, key: list[str]) -> list[str]:
    """The names in the contract of label, time and key, which the user gives as in the file."""
    origins = {name: column.get("from") for name, column in table["columns"].items()}
    names = {",".join([of] if isinstance(of, str) else of): name for name, of in origins.items() if of}
    choices = [*(name for name in origins if name not in names.values()), *names]
    chosen = []
    for flag, name in (("--label", label), ("--time", time), *(("--key", part) for part in key)):
        if name not in choices:
            expected = f"one of {listed(choices)}"
            raise InputError(f"{flag} of {file.name}", expected, hint(name, choices), "correct it")
        chosen.append(names.get(name, name))
    if label == time or label in key:
        raise InputError("--label", "a column of its own", f"{label!r}, which is time or key", "name another column")
    return chosen


def renamed(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Rename columns whose name is reserved or too long for YAML; returns the original name of each."""
    names = list(columns_of(connection, "drafted"))
    origins = {_free(f"{name[:LONG_LETTERS]}_", names): [name] for name in names if _unusable(name)}
    for name, (old,) in origins.items():
        connection.execute(f"ALTER TABLE drafted RENAME COLUMN {quoted(old)} TO {quoted(name)}")
    return origins


def _unusable(name: str) -> bool:
    return reserved(name) or len(flow(name)) > MOST_LETTERS


def joined(connection: duckdb.DuckDBPyConnection, time: str) -> dict[str, list[str]]:
    """Add a column for a time of several columns (`Date,Time`); returns its parts."""
    names = list(columns_of(connection, "drafted"))
    parts = [part.strip() for part in time.split(",")]
    if time in names or len(parts) < 2 or not set(parts) <= set(names):
        return {}
    if other := next(filter(NO_DATE.search, parts), None):
        raise InputError("--time", "parts of a date or a time, which a format can read", other, "add the date")
    name = _free("_".join(parts), names)
    joined = " || ' ' || ".join(map(quoted, parts))
    connection.execute(f"CREATE OR REPLACE TABLE drafted AS SELECT *, {joined} AS {quoted(name)} FROM drafted")
    return {name: parts}


def _free(name: str, names: Sequence[str]) -> str:
    taken = set(map(folded, names))
    while folded(name) in taken:
        name += "_"
    return name
