"""Refuses features that are constant, and features that determine the label (target leakage)."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from tidegate.contract.contract import Contract, literal, quoted
from tidegate.process.errors import InputError

MOST_CLASSES = 200  # with more, a feature with many values determines any label
LEAST_LABELLED = 50  # with fewer, a match may be chance
ALMOST_ONE = 1 - 1e-9


def check_features(
    connection: duckdb.DuckDBPyConnection, path: Path, contract: Contract, features: Mapping[str, str]
) -> None:
    """Raise InputError for a feature that is constant or that determines the label."""
    table = f"read_parquet({literal(str(path.resolve()))})"
    for name, found in _constants(connection, table, list(features)).items():
        cure = "remove it until it varies, or check its SQL"
        raise InputError(f"features.sql: {name}", "values that differ", found, cure)
    for name in _determining(connection, table, contract, features):
        raise InputError(
            f"features.sql: {name}",
            "a value that is known before the event",
            f"a value that determines {contract.label} in every row",
            "remove it, and give its column the role outcome in contract.yaml",
        )


def _constants(connection: duckdb.DuckDBPyConnection, table: str, names: list[str]) -> dict[str, str]:
    """The constant features, each with its value in words."""
    parts = (f"count({quoted(n)}), min({quoted(n)})::VARCHAR, max({quoted(n)})::VARCHAR" for n in names)
    rows, *counts = connection.execute(f"SELECT count(*), {', '.join(parts)} FROM {table}").fetchall()[0]
    columns = zip(names, counts[::3], counts[1::3], counts[2::3], strict=True)
    constants = {name: low for name, filled, low, high in columns if rows > 1 and filled in (0, rows) and low == high}
    return {
        name: f"null in all {rows:,} rows" if value is None else f"{value[:40]!r} in all {rows:,} rows"
        for name, value in constants.items()
    }


def _determining(
    connection: duckdb.DuckDBPyConnection, table: str, contract: Contract, features: Mapping[str, str]
) -> list[str]:
    """The features with a one-to-one relation to the label; for regression, a correlation of ±1."""
    labelled_rows = f"{table} WHERE {quoted(contract.label)} IS NOT NULL"
    labelled = connection.execute(f"SELECT count(*) FROM {labelled_rows}").fetchall()[0][0]
    numbers = [name for name, kind in features.items() if kind == "number"]
    if labelled < LEAST_LABELLED:
        return []
    if contract.task == "regression":
        return [name for name in numbers if _correlation(connection, labelled_rows, name, contract.label) > ALMOST_ONE]
    return [name for name in features if _one_to_one(connection, labelled_rows, name, contract.label)]


def _correlation(connection: duckdb.DuckDBPyConnection, rows: str, name: str, label: str) -> float:
    value = quoted(name)
    query = f"SELECT abs(corr({value}, {quoted(label)})) FROM {rows} AND isfinite({value})"
    whole = f"SELECT count(*) = count({value}) FROM {rows}"
    return float(connection.execute(f"SELECT ({query}) * ({whole})::INTEGER").fetchall()[0][0] or 0.0)


def _one_to_one(connection: duckdb.DuckDBPyConnection, rows: str, name: str, label: str) -> bool:
    value, answer = quoted(name), quoted(label)
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {value} FROM {rows} LIMIT {MOST_CLASSES + 1})"
    if connection.execute(distinct).fetchall()[0][0] > MOST_CLASSES:
        return False
    counts = f"count(DISTINCT {value}), count(DISTINCT {answer}), count(DISTINCT ({value}, {answer}))"
    values, labels, pairs = connection.execute(f"SELECT {counts} FROM {rows}").fetchall()[0]
    return bool(2 <= values == labels == pairs)
