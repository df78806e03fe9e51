"""The command line of featurize."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from tidegate.components.featurize.hindsight import leaks, moments
from tidegate.components.featurize.suspects import check_features
from tidegate.contract.behaviour import check_behaviour
from tidegate.contract.contract import Contract, parse_contract, quoted
from tidegate.documents.batch import Batch
from tidegate.documents.digests import check, digests
from tidegate.documents.findings import Findings
from tidegate.documents.formats import read_text, replacing
from tidegate.process.command import Output, OutputFolder
from tidegate.process.errors import InputError
from tidegate.tables.engine import copy
from tidegate.tables.features import Window, describe, feature_engine, kinds, marked, subquery
from tidegate.tables.recipe import batch_id, read_manifest, recipe

CHECKED_MOMENTS = 3


def featurize(
    clean: Path,
    manifest: Path,
    findings: Path,
    contract: Path,
    sql: Path,
    estimator: Path,
    window_days: int,
    features: OutputFolder,
    batch: Output,
) -> None:
    """Run features.sql over the clean tables, check for look-ahead, mark the batch and compute its id."""
    texts = {"contract": read_text(contract), "sql": read_text(sql), "estimator": read_text(estimator)}
    promise = parse_contract(texts["contract"], str(contract))
    ingested, made_by = read_manifest(manifest, texts["contract"]), recipe(**texts, window_days=window_days)
    check(Findings.read(findings).digests, clean=clean)
    start, end = ingested.batch.start, ingested.batch.end
    window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
    with replacing(features) as folder:
        folder.mkdir()
        kind, counts = _write_features(clean, folder, texts["sql"], promise, window)
        table_digests = digests(clean=clean, features=folder)
    Batch(
        id=batch_id(ingested.data, start, end, made_by),
        name=promise.name,
        data=ingested.data,
        start=start,
        end=end,
        **counts,
        features=kind,
        recipe=made_by,
        files=ingested.files,
        digests=table_digests,
    ).write(batch)


def _write_features(
    clean: Path, folder: Path, sql: str, contract: Contract, window: Window
) -> tuple[dict[str, str], dict[str, int]]:
    """Write and check the feature table; returns its features with their kinds, and the counts of its rows."""
    path = folder / "features.parquet"
    with feature_engine(clean, folder, tables=contract.tables) as connection:
        kind = kinds(contract, describe(connection, sql))
        check_behaviour(contract.behaviour, kind)
        _check_rows(connection, sql, contract)
        _check_hindsight(connection, sql, contract, kind)
        copy(connection, marked(sql, contract, kind, window), path)
        check_features(connection, path, contract, kind)
        return kind, _counts(connection, path, contract.label)


def _check_rows(connection: duckdb.DuckDBPyConnection, sql: str, contract: Contract) -> None:
    identity = ", ".join(quoted(name) for name in contract.identity)
    counts = f"SELECT count(*), count(DISTINCT ({identity})) FROM {subquery(sql)}"
    rows, distinct = connection.execute(counts).fetchall()[0]
    events = connection.execute(f"SELECT count(*) FROM {quoted(contract.event)}").fetchall()[0][0]
    if rows != events or distinct != events:
        raise InputError(
            "features.sql",
            f"one row per row of {contract.event} ({events:,})",
            f"{rows:,} rows, {distinct:,} of them distinct",
            "correct its joins and filters",
        )


def _check_hindsight(
    connection: duckdb.DuckDBPyConnection, sql: str, contract: Contract, features: Mapping[str, str]
) -> None:
    for moment in moments(connection, contract, CHECKED_MOMENTS):
        if leaking := leaks(connection, sql, contract, features, moment):
            raise InputError(
                "features.sql",
                f"features that are known {contract.horizon} before the event",
                f"{', '.join(leaking)} of {moment} change when later rows and outcomes are hidden",
                "look further back",
            )


def _counts(connection: duckdb.DuckDBPyConnection, path: Path, label: str) -> dict[str, int]:
    query = f"SELECT split, count(*), count({quoted(label)}) FROM read_parquet($path) GROUP BY split"
    counts = {
        split: (rows, labelled)
        for split, rows, labelled in connection.execute(query, {"path": str(path.resolve())}).fetchall()
    }
    history, batch = counts.get("history", (0, 0)), counts.get("batch", (0, 0))
    return {
        "rows": batch[0],
        "labelled_rows": batch[1],
        "history_rows": history[0],
        "history_labelled_rows": history[1],
    }
