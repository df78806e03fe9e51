"""The features of a model: its own SQL over clean tables, cut into history and batch, checked for hindsight."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tidegate.contract.contract import Contract, literal, quoted
from tidegate.contract.names import reserved
from tidegate.documents.durations import interval
from tidegate.process.errors import InputError
from tidegate.tables.engine import columns_of, engine, view_tables

integers = (
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
numbers = (*integers, "FLOAT", "DOUBLE", "DECIMAL")
categories = ("VARCHAR", "BOOLEAN", "ENUM")
label_types = {
    "binary": (("BOOLEAN",), "true or false", "compare it with something in the SQL"),
    "multiclass": ((*categories, *integers), "a text, a whole number or a boolean", "cast it in the SQL"),
    "regression": (numbers, "a number", "cast it in the SQL"),
}
label_casts = {
    "binary": "{}",
    "multiclass": "{}::VARCHAR",
    "regression": "CASE WHEN isfinite({0}::DOUBLE) THEN {0}::DOUBLE END",
}


@dataclass(frozen=True)
class Window:
    """Half-open times in UTC: the batch is [start, end); history lies before it."""

    start: datetime
    end: datetime


def kinds(contract: Contract, columns: Mapping[str, str]) -> dict[str, str]:
    """Each feature's kind, `number` or `category`, from the columns and SQL types of the feature query."""
    for name in columns:
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
    types, words, cure = label_types[contract.task]
    if sql_type.split("(")[0] not in types:
        raise InputError(f"features.sql: {contract.label}", words, sql_type, cure)


def _check_weight(contract: Contract, sql_type: str) -> None:
    place = f"contract.yaml: weight: {contract.weight}"
    if contract.weight in (*contract.identity, contract.label):
        raise InputError(place, "a column of its own", "one of the identity or the label", "select it under a name")
    if sql_type.split("(")[0] not in numbers:
        raise InputError(place, "a number", sql_type, "cast it in the SQL")


def kind_of(name: str, sql_type: str) -> str:
    """The kind of a feature, `number` or `category`, from its SQL type; InputError for any other type."""
    base = sql_type.split("(")[0]
    if base in numbers:
        return "number"
    if base in categories:
        return "category"
    raise InputError(f"features.sql: {name}", "a number, a text or a boolean", sql_type, "cast it in the SQL")


@contextmanager
def feature_engine(clean: Path, *writable: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose views are the clean tables; the SQL it runs is not ours, so settings are locked."""
    with engine(clean, *writable) as connection:
        view_tables(connection, clean)
        connection.execute("SET threads = 1")  # sums of doubles differ in their last bit with the order of threads
        connection.execute("SET lock_configuration = true")
        yield connection


def describe(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    """The columns and SQL types of a feature query; InputError with DuckDB's own words when it does not run."""
    try:
        return columns_of(connection, subquery(sql))
    except duckdb.Error as error:
        raise InputError("features.sql", "one SELECT that runs", " ".join(str(error).split()), "mend it") from None


def subquery(sql: str) -> str:
    """A feature query in parentheses, whatever comment or semicolon it ends with."""
    text = sql.encode()  # DuckDB counts bytes
    starts = [start for start, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    end = starts[-1] if starts and text[starts[-1] :].startswith(b";") else len(text)
    return f"({text[:end].decode()}\n)"


def marked(sql: str, contract: Contract, features: Mapping[str, str], window: Window) -> str:
    """The query of the feature table: identity, label, weight, features, `split` (history or batch), in total order.

    A label counts once its event is `label_delay` old at the end of the window; before that it is null.
    """
    time = quoted(contract.time)
    known = f"{time} + {interval(contract.label_delay)} <= TIMESTAMP {literal(window.end.isoformat())}"
    label = label_casts[contract.task].format(quoted(contract.label))
    values = [
        *(quoted(name) for name in contract.identity),
        f"CASE WHEN {known} THEN {label} END AS {quoted(contract.label)}",
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
    """The rows of the batch as another model's SQL sees them: a pandas DataFrame of identity, label and features."""
    with feature_engine(clean) as connection:
        features = kinds(contract, describe(connection, sql))
        query = marked(sql, contract, features, window)
        return connection.execute(f"SELECT * EXCLUDE (split) FROM ({query}) WHERE split = 'batch'").df()
