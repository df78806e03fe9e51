"""A contract drafted from files, for a person to correct."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from tidegate.commands.draft.draft import draft, private_because
from tidegate.commands.draft.flow import flow
from tidegate.contract.contract import quoted
from tidegate.process.command import run
from tidegate.process.errors import InputError, line
from tidegate.process.termination import leave_after
from tidegate.tables.engine import engine

TOP = """\
# yaml-language-server: $schema=tidegate/contract/contract.schema.json
# A draft: what these files happen to hold. Check every line, and promise what the next file must hold.
# Not guessed: which columns are known only after the event. Give them the role outcome, or label to what is predicted.
name: {name}             # check this
purpose: {name}?         # check this: the question that the model answers
task: binary
event: {event}           # check this: one prediction per row of this table
label: label             # check this: the column of features.sql that is predicted
label_delay: 1d          # check this: a label counts once its event is this old
horizon: 1d              # check this: features are what is known this long before the event
block: 1d                # check this: rows of one block depend on each other
slices: []

tables:
"""


def infer(paths: str, form: str) -> None:
    """Print the draft of a contract for these files (one per line) as `yaml`, or as `json`."""
    files = [Path(path) for path in paths.splitlines()]
    tables = drafts(files)
    print(json.dumps(tables, default=str, ensure_ascii=False) if form == "json" else yaml(tables), end="")


def drafts(files: list[Path]) -> dict[str, dict[str, Any]]:
    """The drafted table of each file, by the file's name without its endings; `empty` are columns without a value."""
    for file in files:
        if not file.is_file():
            raise InputError(file, "a file", "nothing", "check the path")
    with engine(*{file.parent for file in files}) as connection:
        return {file.name.partition(".")[0]: _drafted(connection, file) for file in files}


def _drafted(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, Any]:
    table = draft(connection, file)
    empty = _valueless(connection, list(table["columns"]))
    columns = {name: promise for name, promise in table["columns"].items() if name not in empty}
    return {**table, "columns": columns, **({"empty": empty} if empty else {})}


def _valueless(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """The drafted columns without any value; empty if the table has no value at all."""
    counts = ", ".join(f"count({quoted(name)})" for name in names)
    filled = connection.execute(f"SELECT {counts} FROM drafted").fetchall()[0]
    return [name for name, count in zip(names, filled, strict=True) if not count] if any(filled) else []


def yaml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """The drafted contract, one line per column."""
    timed = [name for name, table in tables.items() if "time" in table] or list(tables)
    lines = [TOP.format(name=timed[0], event=timed[0]).rstrip()]
    for name, table in tables.items():
        lines += [f"  {flow(name)}:", f"    files: {flow(table['files'])}"]
        for part, mark in (
            ("delimiter", ""),
            ("encoding", ""),
            ("header", "  # check this"),
            ("skip_lines", ""),
            ("missing", ""),
            ("time", "  # check this"),
            ("key", "  # check this"),
        ):
            if part in table:
                lines.append(f"    {part}: {flow(table[part])}{mark}")
        lines.append("    columns:")
        for column, promise in table["columns"].items():
            mark = (
                f"  # check this: {private_because(column)}"
                if promise.get("role") == "private"
                else noted(table, column)
            )
            lines.append(f"      {flow(column)}: {flow(promise)}{mark}")
        for column in table.get("empty", ()):
            promise = {"type": "text", "role": "private", "nullable": True}
            lines.append(f"      {flow(column)}: {flow(promise)}  # check this: no value in any row")
    return "\n".join(lines) + "\n"


def noted(table: Mapping[str, Any], column: str) -> str:
    """The comment on a column that does not have the default format."""
    text = line(table.get("notes", {}).get(column, ""))
    return f"  # check this: {text}" if text else ""


if __name__ == "__main__":
    leave_after(partial(run, infer))
