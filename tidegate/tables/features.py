"""The feature table: the SQL of a model over the clean tables, split into history and batch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tidegate.contract.contract import Contract, Table, literal, quoted
from tidegate.contract.names import reserved
from tidegate.documents.durations import interval
from tidegate.process.errors import CONTROL, InputError
from tidegate.tables.engine import columns_of, engine, lack, statements, view_tables
from tidegate.tables.failures import failure

INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
NUMBERS = (*INTEGERS, "FLOAT", "DOUBLE", "DECIMAL")
CATEGORIES = ("VARCHAR", "BOOLEAN", "ENUM")
LABEL_TYPES = {
    "binary": (("BOOLEAN",), "true or false", "compare it with something in the SQL"),
    "multiclass": ((*CATEGORIES, *INTEGERS), "a text, a whole number or a boolean", "cast it in the SQL"),
    "regression": (NUMBERS, "a number", "cast it in the SQL"),
}
LABEL_CASTS = {
    "binary": "{}",
    "multiclass": "{}::VARCHAR",
    "regression": "CASE WHEN isfinite({0}::DOUBLE) THEN {0}::DOUBLE END",
}


@dataclass(frozen=True)
class Window:
    """The window of the batch, [start, end) in UTC; the history is before `start`."""

    start: datetime
    end: datetime


def kinds(contract: Contract, columns: Mapping[str, str]) -> dict[str, str]:
    """The kind of each feature, `number` or `category`, from the SQL types of the feature query.

    InputError for a missing or reserved column, or a column of an unsuitable type.
    """
    for name in columns:
        if CONTROL.search(name):
            raise InputError(f"features.sql: {name}", "a name without control characters", "one", "name it otherwise")
        if reserved(name):
            cure = f"select it AS {name}_as_feature"
            raise InputError(f"features.sql: {name}", "another name", "one that Tidegate uses itself", cure)
    own = [*contract.identity, contract.label, *([contract.weight] if contract.weight else [])]
    for name in [*own, *contract.slices]:
        if name not in columns:
            raise InputError("features.sql", f"a column {name}", f"only {', '.join(columns)}", "select it")
    _check_label(contract, columns[contract.label])
    if contract.weight:
        _check_weight(contract, columns[contract.weight])
    features = {name: kind for name, kind in columns.items() if name not in own}
    if not features:
        raise InputError("features.sql", "at least one feature", "only identity and label", "select more columns")
    return {name: kind_of(name, sql_type) for name, sql_type in features.items()}


def _check_label(contract: Contract, sql_type: str) -> None:
    types, words, cure = LABEL_TYPES[contract.task]
    if sql_type.split("(")[0] not in types:
        raise InputError(f"features.sql: {contract.label}", words, sql_type, cure)


def _check_weight(contract: Contract, sql_type: str) -> None:
    place = f"contract.yaml: weight: {contract.weight}"
    if contract.weight in (*contract.identity, contract.label):
        raise InputError(place, "a column of its own", "one of the identity or the label", "select it under a name")
    if sql_type.split("(")[0] not in NUMBERS:
        raise InputError(place, "a number", sql_type, "cast it in the SQL")


def kind_of(name: str, sql_type: str) -> str:
    """The kind of a feature, `number` or `category`, from its SQL type; InputError for any other type."""
    base = sql_type.split("(")[0]
    if base in NUMBERS:
        return "number"
    if base in CATEGORIES:
        return "category"
    raise InputError(f"features.sql: {name}", "a number, a text or a boolean", sql_type, "cast it in the SQL")


@contextmanager
def feature_engine(
    clean: Path, *writable: Path, tables: Mapping[str, Table] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a view of each clean table; its settings are locked, because it runs the user's SQL.

    InputError where that fails on a row; with the contract's `tables` it names the column and the row.
    """
    with engine(clean, *writable) as connection:
        view_tables(connection, clean)
        connection.execute("SET threads = 1")  # with more, the order of summation and so the last bit of a sum vary
        connection.execute("SET lock_configuration = true")
        try:
            yield connection
        except duckdb.Error as error:
            message = failure(error, connection, tables)
            failed = InputError("features.sql", "SQL that runs over every row", message, "correct it")
            raise lack(error) or failed from None


def describe(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    """The columns and SQL types of a feature query; InputError with DuckDB's message if it does not run."""
    try:
        kinds = statements(sql)
        if kinds != ["SELECT"]:
            words = ", ".join(kinds) or "nothing"
            raise InputError("features.sql", "one SELECT that runs", words, "write one SELECT, without PIVOT")
        return columns_of(connection, subquery(sql))
    except duckdb.Error as error:
        raise InputError("features.sql", "one SELECT that runs", failure(error), "correct it") from None


def subquery(sql: str) -> str:
    """A feature query in parentheses, without its final semicolon; it may end with a comment."""
    text = sql.encode()  # DuckDB counts bytes
    starts = [start for start, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    end = starts[-1] if starts and text[starts[-1] :].startswith(b";") else len(text)
    return f"({text[:end].decode()}\n)"


def marked(sql: str, contract: Contract, features: Mapping[str, str], window: Window) -> str:
    """The query of the feature table: identity, label, weight, features, `split` (history or batch), in total order.

    A label is null unless its event is at least `label_delay` old at the end of the window.
    """
    time = quoted(contract.time)
    mature = f"{time} + {interval(contract.label_delay)} <= TIMESTAMP {literal(window.end.isoformat())}"
    label = LABEL_CASTS[contract.task].format(quoted(contract.label))
    values = [
        *(quoted(name) for name in contract.identity),
        f"CASE WHEN {mature} THEN {label} END AS {quoted(contract.label)}",
        *([f"{quoted(contract.weight)}::DOUBLE AS {quoted(contract.weight)}"] if contract.weight else []),
        *(
            f"{quoted(name)}::{'DOUBLE' if kind == 'number' else 'VARCHAR'} AS {quoted(name)}"
            for name, kind in features.items()
        ),
        f"CASE WHEN {time} >= TIMESTAMP {literal(window.start.isoformat())} THEN 'batch' ELSE 'history' END AS split",
    ]
    order = ", ".join(quoted(name) for name in contract.identity)
    return f"SELECT {', '.join(values)} FROM {subquery(sql)} ORDER BY {order}"


def batch_frame(clean: Path, sql: str, contract: Contract, window: Window) -> Any:
    """The batch by the feature query of another model: a pandas DataFrame of identity, label and features."""
    with feature_engine(clean, tables=contract.tables) as connection:
        features = kinds(contract, describe(connection, sql))
        query = marked(sql, contract, features, window)
        return connection.execute(f"SELECT * EXCLUDE (split) FROM ({query}) WHERE split = 'batch'").df()
