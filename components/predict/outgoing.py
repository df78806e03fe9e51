"""Writes the answer beside the rows of the file, and the rows that were set aside."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from tidegate.components.predict.file_columns import FAULT, MOMENT, PREDICTION, ROW, VERSION, Columns
from tidegate.components.predict.incoming import CSV, FORMATS, PARQUET, Incoming
from tidegate.components.predict.promises import Check
from tidegate.components.predict.scoring import ANSWERED
from tidegate.components.predict.staging import LATE, ROWS
from tidegate.contract.contract import literal, quoted
from tidegate.process.errors import InputError
from tidegate.tables.engine import parquet, real

FORMS = {
    CSV[1]: "FORMAT csv, HEADER, COMPRESSION gzip",
    CSV[0]: "FORMAT csv, HEADER",
    PARQUET: "FORMAT parquet, COMPRESSION zstd",
}


def form_of(path: Path) -> tuple[str, str]:
    """The ending of a path and how DuckDB writes such a file; InputError for another ending."""
    for ending, form in FORMS.items():
        if path.name.endswith(ending) and path.name != ending:
            return ending, form
    raise InputError(path, FORMATS, "another one", "name it so")


def aside(path: Path) -> Path:
    """Where the rows are that were set aside: beside the answer."""
    ending, _ = form_of(path)
    return path.with_name(f"{path.name.removesuffix(ending)}.bad{ending}")


def write_answer(
    connection: duckdb.DuckDBPyConnection,
    columns: Columns,
    predictions: Path,
    version: str,
    moment: datetime,
    form: str,
    scratch: Path,
    target: Path,
) -> int:
    """Write the rows without a fault, in their order, each with its prediction; returns how many they are."""
    late = f"SELECT {quoted(ROW)} FROM {parquet(scratch / LATE)}"
    kept = f"SELECT * FROM {parquet(scratch / ROWS)} WHERE {quoted(FAULT)} IS NULL AND {quoted(ROW)} NOT IN ({late})"
    answered = f"SELECT * FROM {parquet(predictions)} WHERE {quoted(PREDICTION)} IS NOT NULL"
    names = [name for name, *_ in connection.execute(f"DESCRIBE {answered}").fetchall() if name not in (ROW, ANSWERED)]
    values = [
        *(f"kept.{quoted(name)}" for name in columns.visible),
        *(f"answered.{quoted(name)}" for name in names),
        f"{literal(version)} AS {VERSION}",
        f"TIMESTAMP {literal(moment.isoformat())} AS {MOMENT}",
    ]
    # Both are in the order of the rows; were they not, no answer would be better than another row's.
    same = f"CASE WHEN kept.{quoted(ROW)} = answered.{quoted(ROW)} THEN true ELSE error('rows in another order') END"
    query = f"SELECT {', '.join(values)} FROM ({kept}) AS kept POSITIONAL JOIN ({answered}) AS answered WHERE {same}"
    return _copied(connection, query, target, form)


def write_aside(
    connection: duckdb.DuckDBPyConnection,
    rows: Incoming,
    columns: Columns,
    promises: Sequence[Check],
    late: Sequence[Check],
    form: str,
    scratch: Path,
    target: Path,
) -> int:
    """Write the rows with a fault as they came, each with its number and the reason; returns how many they are."""
    faults = " UNION ALL ".join(
        f"SELECT {quoted(ROW)}, {_reason(checks)} AS reason FROM {parquet(scratch / name)} "
        f"WHERE {quoted(FAULT)} IS NOT NULL"
        for name, checks in ((ROWS, promises), (LATE, late))
    )
    source = rows.kinds or rows.texts
    visible = [name for name in source if name not in columns.hidden]
    values = ", ".join(f"{quoted(name) if rows.kinds else rows.texts[name]} AS {quoted(name)}" for name in visible)
    read = f"SELECT row_number() OVER () AS {quoted(ROW)}, {values} FROM {rows.relation}"
    query = f"SELECT * RENAME ({quoted(ROW)} AS row) FROM ({read}) JOIN ({faults}) USING ({quoted(ROW)}) ORDER BY row"
    return _copied(connection, query, target, form)


def _reason(checks: Sequence[Check]) -> str:
    cases = " ".join(
        f"WHEN {place} THEN {literal(f'{check.field}: expected {check.expected}'.removeprefix(': '))}"
        for place, check in enumerate(checks)
    )
    return f"CASE {quoted(FAULT)} {cases} END" if cases else "NULL"


def _copied(connection: duckdb.DuckDBPyConnection, query: str, target: Path, form: str) -> int:
    return int(connection.execute(f"COPY ({query}) TO {literal(real(target))} ({form})").fetchall()[0][0])
