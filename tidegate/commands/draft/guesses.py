"""Guesses about a problem from one file: the task, the columns that are no features, the windows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tidegate.contract.contract import literal, quoted
from tidegate.process.errors import InputError
from tidegate.tables.engine import cast

MOST_CLASSES = 50
MOST_NUMBERED_CLASSES = 10
LEAST_ROWS = 150
LEAST_BLOCKS = 8
BLOCKS = {"1w": 604_800, "1d": 86_400, "6h": 21_600, "1h": 3_600, "1m": 60}
USUAL_BATCH_DAYS = 28
BATCH_ROWS = 200
MOST_BATCH_DAYS = 3660  # the limit in the schema of params.yaml
FREE_TEXT_VALUES = 50
UNTIMED_SHARE = 0.01  # of the rows; validation quarantines them
AFFIRMATIVE = (("1", "0"), ("yes", "no"), ("y", "n"), ("true", "false"), ("t", "f"), ("pass", "fail"),
               ("passed", "failed"), ("positive", "negative"), ("pos", "neg"), ("on", "off"))  # fmt: skip
ALMOST_ONE = 1 - 1e-9
MOST_GAPS = 2  # distinct integers in a range of less than so many times the rows are no measurement
IN_ORDER = 0.999  # rank correlation with time


@dataclass(frozen=True)
class Label:
    """The label: its task, and its SQL in features.sql."""

    task: str
    sql: str
    spread: float = 1.0  # variance of a number
    values: tuple[str | int, ...] = ()  # the classes, as the file spells them
    doubt: str = ""  # what to check about the positive class


@dataclass(frozen=True)
class Span:
    """The time span of the events: its end, the length of a batch, and the block of dependent rows."""

    until: str
    batch_days: int
    batch_rows: int
    block: str
    rows_per_day: float


def label_of(connection: duckdb.DuckDBPyConnection, table: str, name: str, kind: str) -> Label:
    """The task that a column's values suggest; InputError if the column cannot be a label."""
    column = quoted(name)
    if kind == "text" and (answers := _answers(connection, table, name)):
        return answers
    value = cast(column, "integer") if kind == "integer" else column  # 1 and 1.0 are one class
    rows = connection.execute(
        f"SELECT {value}, count(*) FROM drafted WHERE {column} IS NOT NULL GROUP BY 1 "
        f"ORDER BY 2, 1 LIMIT {MOST_CLASSES + 1}"
    ).fetchall()
    sql = f"{identifier(connection, table)}.{identifier(connection, name)}"
    if len(rows) < 2:
        found = "none" if not rows else "the same in every row"
        raise InputError(f"label {name}", "values that differ", found, "name another column with --label")
    if kind == "boolean":
        return Label("binary", sql)
    if len(rows) == 2 and kind == "integer":
        positive, doubt = _positive([str(row[0]) for row in rows])
        values = tuple(int(row[0]) for row in rows)
        return Label("binary", f"{sql} = {positive}", values=tuple(sorted(values)), doubt=doubt)
    if kind == "text" and len(rows) <= MOST_CLASSES:
        return Label("multiclass", sql, values=tuple(sorted(row[0] for row in rows)))
    if kind == "integer" and len(rows) <= MOST_NUMBERED_CLASSES:
        return Label("multiclass", sql, values=tuple(sorted(int(row[0]) for row in rows)))
    if kind in ("integer", "number"):
        value = f"TRY_CAST({column} AS DOUBLE)"
        spread = connection.execute(f"SELECT var_samp({value}) FROM drafted").fetchall()[0][0]
        return Label("regression", sql, float(spread))
    found = "a time" if kind == "timestamp" else f"a text of more than {MOST_CLASSES} values"
    raise InputError(f"label {name}", "true or false, a class or a number", found, "name another column with --label")


def _answers(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> Label | None:
    """The binary label of texts that are two words, ignoring case and spaces; None if there are more."""
    column = quoted(name)
    word = f"lower(trim({column}))"
    words = connection.execute(
        f"SELECT {word}, list(DISTINCT {column} ORDER BY {column}) FROM drafted WHERE {column} IS NOT NULL GROUP BY 1 "
        f"ORDER BY count(*), 1 LIMIT 3"
    ).fetchall()
    if len(words) != 2:
        return None
    spellings = {word: list(spelled) for word, spelled in words}
    positive, doubt = _positive([word for word, _ in words])
    sql = f"{identifier(connection, table)}.{identifier(connection, name)}"
    alike = all(len(spelled) == 1 for spelled in spellings.values())
    test = f"{sql} = {literal(spellings[positive][0])}" if alike else f"lower(trim({sql})) = {literal(positive)}"
    values = tuple(sorted(text for spelled in spellings.values() for text in spelled))
    return Label("binary", test, values=values, doubt=doubt)


def _positive(words: list[str]) -> tuple[str, str]:
    """The positive one of two words, and what to check: the affirmative one, else the rarer, which comes first."""
    pair = {word.strip().lower() for word in words}
    for yes, no in AFFIRMATIVE:
        if pair == {yes, no}:
            return next(word for word in words if word.strip().lower() == yes), ""
    return words[0], f"{words[0]} is what is asked for, as it is rarer than {words[1]}"


def span_of(connection: duckdb.DuckDBPyConnection, time: str, file: str) -> Span:
    """Windows from the times of the rows of a file; InputError if rows lack a time, or there are too few rows."""
    moment = cast(quoted(time), "timestamp")
    rows, timed, last, days = connection.execute(
        f"SELECT count(*), count({moment}), date_trunc('day', max({moment})) + INTERVAL 1 DAY, "
        f"date_diff('day', min({moment}), max({moment})) + 1 FROM drafted"
    ).fetchall()[0]
    if rows - timed > rows * UNTIMED_SHARE:
        found = f"{rows - timed:,} of {rows:,} rows without one that can be read"
        cure = "correct the file, or name another column (or several, with commas) with --time"
        raise InputError(f"time {time}", "a date or time such as 2024-01-31 in every row", found, cure)
    if rows < LEAST_ROWS:
        raise InputError(file, f"at least {LEAST_ROWS} rows to learn from", f"{rows:,}", "collect more")
    batch_days = _batch_days(connection, moment, last, rows, days)
    inside = f"{moment} >= TIMESTAMP {literal(last.isoformat())} - INTERVAL {batch_days} DAY"
    per_block = ", ".join(f"count(DISTINCT epoch({moment})::BIGINT // {length})" for length in BLOCKS.values())
    batch_rows, *counts = connection.execute(f"SELECT count(*), {per_block} FROM drafted WHERE {inside}").fetchall()[0]
    enough = [block for block, count in zip(BLOCKS, counts, strict=True) if count >= LEAST_BLOCKS and block != "1w"]
    if not enough:
        found = f"{max(counts)} in the last {batch_days} days"
        raise InputError(f"time {time}", f"rows at {LEAST_BLOCKS} moments or more", found, "collect more")
    return Span(last.date().isoformat(), batch_days, batch_rows, enough[0], rows / days)


def _batch_days(connection: duckdb.DuckDBPyConnection, moment: str, last: Any, rows: int, days: int) -> int:
    """Four weeks if they have enough rows and leave enough history, otherwise as many days as enough rows need.

    Many rows of few moments, such as one a year for each firm, need as many days as enough moments do.
    """
    usual, wanted = max(1, min(USUAL_BATCH_DAYS, days // 4)), min(BATCH_ROWS, rows // 5)
    newest = f"SELECT DISTINCT {moment} AS moment FROM drafted WHERE {moment} IS NOT NULL ORDER BY 1 DESC"
    apart = f"SELECT min(moment) FROM ({newest} LIMIT {LEAST_BLOCKS})"
    recent, longer = connection.execute(
        f"SELECT count_if({moment} >= TIMESTAMP {literal(last.isoformat())} - INTERVAL {usual} DAY), "
        f"date_diff('day', least(quantile_disc({moment}, {1 - wanted / rows}), ({apart})), max({moment})) + 1 "
        "FROM drafted"
    ).fetchall()[0]
    return usual if wanted <= recent <= rows // 2 else min(int(longer), MOST_BATCH_DAYS)


def left_out(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Mapping[str, Any]], label: str, time: str, task: str
) -> dict[str, str]:
    """The columns that cannot be features as they are, with the reason."""
    others = {name: column["type"] for name, column in columns.items() if name != label}
    reasons = {name: _left_out(connection, name, kind, label, time, task) for name, kind in others.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _left_out(
    connection: duckdb.DuckDBPyConnection, name: str, kind: str, label: str, time: str, task: str
) -> str | None:
    """Why a column cannot be a feature: by all rows, or by the labelled ones where it is about the label."""
    value, answer = quoted(name), quoted(label)
    rows, filled, different = connection.execute(
        f"SELECT count(*), count({value}), count(DISTINCT {value}) FROM drafted"
    ).fetchall()[0]
    if kind == "timestamp":
        return "a time: select what it tells, such as its hour"
    if different < 2 and filled in (0, rows):
        return "the same in every row"
    if _tells(connection, value, answer, task):
        return "tells the label: known only after the event?"
    if kind == "integer" and different == filled > 1 and _numbers_rows(connection, name, time):
        return "the number of the row"
    if kind == "text" and different >= FREE_TEXT_VALUES and different > filled / 2:
        return "free text"
    return None


def _tells(connection: duckdb.DuckDBPyConnection, value: str, answer: str, task: str) -> bool:
    """Whether values and labels are one to one, or correlate by ±1."""
    same = f"corr(TRY_CAST({value} AS DOUBLE), TRY_CAST({answer} AS DOUBLE))" if task == "regression" else "0"
    different, pairs, answers, alike = connection.execute(
        f"SELECT count(DISTINCT {value}), count(DISTINCT ({value}, {answer})), count(DISTINCT {answer}), abs({same}) "
        f"FROM drafted WHERE {answer} IS NOT NULL"
    ).fetchall()[0]
    return bool((alike or 0) > ALMOST_ONE if task == "regression" else different == pairs == answers)


def _numbers_rows(connection: duckdb.DuckDBPyConnection, name: str, time: str) -> bool:
    """Whether distinct integers number the rows: with few gaps, in the order of time, or by their name."""
    if name.lower().endswith("id"):
        return True
    number, moment = f"TRY_CAST({quoted(name)} AS HUGEINT)", cast(quoted(time), "timestamp")
    rows, span, order = connection.execute(
        f"SELECT count(*), max(number) - min(number), abs(corr(place, rank)) FROM (SELECT {number} AS number, "
        f"row_number() OVER (ORDER BY {moment}, {number}) AS place, row_number() OVER (ORDER BY {number}) AS rank "
        f"FROM drafted WHERE {number} IS NOT NULL AND {moment} IS NOT NULL)"
    ).fetchall()[0]
    return bool(span < MOST_GAPS * rows or (order or 0.0) > IN_ORDER)


def same_where_labelled(connection: duckdb.DuckDBPyConnection, names: Sequence[str], label: str) -> list[str]:
    """The columns that are the same in every labelled row, and not in all rows."""
    if not names:
        return []
    where = f"FILTER (WHERE {quoted(label)} IS NOT NULL)"
    counts = ", ".join(
        f"count(DISTINCT {quoted(name)}) {where} + (count(*) {where} > count({quoted(name)}) {where})::INTEGER"
        for name in names
    )
    distinct = connection.execute(f"SELECT {counts} FROM drafted").fetchall()[0]
    return [name for name, different in zip(names, distinct, strict=True) if different < 2]


def identifier(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """A name in SQL, in quotes if necessary."""
    reserved = "SELECT count(*) FROM duckdb_keywords() WHERE keyword_name = $name AND keyword_category != 'unreserved'"
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name, re.ASCII)
    return name if plain and not connection.execute(reserved, {"name": name}).fetchall()[0][0] else quoted(name)
