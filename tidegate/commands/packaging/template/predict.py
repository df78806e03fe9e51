"""Predicts events: computes their features by features.sql over the clean tables, and asks the model.

Part of Tidegate, Apache License 2.0. The files beside it are those of one version; none is read if it was changed.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import skops.io

HERE = Path(__file__).parent
ROWS = 65_536  # that the model is asked at once
WIDEST, LARGEST = 1e30, 1e150  # of a feature and of a predicted number, as in training
ROW, EVENTS, ASKED = "tidegate row", "tidegate events", "tidegate asked"
MEMORY = "800MB"  # of DuckDB; the rest is in temporary files


class RefusedError(Exception):
    """What cannot be predicted, in one line."""


def content(name: str) -> bytes:
    """A file of this version; RefusedError if it is not as it was packaged."""
    data = (HERE / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != json.loads((HERE / "digests.json").read_text("utf-8"))[name]:
        raise RefusedError(f"{name}: expected the packaged file, found another one; install the package again")
    return data


def predict(source: str, tables: str, target: str) -> int:
    """Write the events of `source` with their predictions, in their order; returns how many they are."""
    about = json.loads(content("contract.json"))
    model = skops.io.loads(content("model.skops"), trusted=about["trusted"])
    with tempfile.TemporaryDirectory(dir=Path(target).absolute().parent) as scratch, duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = '{scratch}/spill'")
        _read(connection, about, source, f"{scratch}/rows.parquet")
        _check(connection, about, source)
        _tables(connection, about, Path(tables))
        _ask(connection, about, model, f"{scratch}/answers.parquet")
        return _write(connection, about, scratch, target)


def _read(connection: duckdb.DuckDBPyConnection, about: Any, source: str, rows: str) -> None:
    """Read the events once, each value in its type; RefusedError for a missing column."""
    options = ", all_varchar = true, header = true" if ".csv" in source else ""
    read = f"read_{'csv' if options else 'parquet'}({_text(source)}{options})"
    names = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()]
    if missing := [name for name in about["columns"] if name not in names]:
        raise RefusedError(f"{source}: expected the columns of an event, found no {', '.join(missing)}; add them")
    texts = ", ".join(f"{_name(name)}::VARCHAR AS {_name(name)}" for name in about["columns"])
    typed = ", ".join(f"{column['typed']} AS {_name(name)}" for name, column in about["columns"].items())
    wrong = ", ".join(f"{column['wrong']} AS {_name(column['flag'])}" for column in about["columns"].values())
    numbered = f"SELECT row_number() OVER () AS {_name(ROW)}, {texts} FROM {read}"
    query = f"SELECT {_name(ROW)}, {typed}, {wrong} FROM ({numbered})"
    connection.execute(f"COPY ({query}) TO {_text(rows)} (FORMAT parquet)")
    connection.execute(f"CREATE VIEW {_name(EVENTS)} AS SELECT * FROM read_parquet({_text(rows)})")
    names = [
        *map(_name, about["columns"]),
        *(f"NULL::{kind} AS {_name(name)}" for name, kind in about["outcomes"].items()),
    ]
    connection.execute(f"CREATE VIEW {_name(ASKED)} AS SELECT {', '.join(names)} FROM {_name(EVENTS)}")


def _check(connection: duckdb.DuckDBPyConnection, about: Any, source: str) -> None:
    """RefusedError for the first promise of the contract that an event breaks."""
    for check in about["checks"]:
        query = f"SELECT min({_name(ROW)}), count(*) FROM {_name(EVENTS)} WHERE {check['broken']}"
        row, count = connection.execute(query).fetchall()[0]
        if count:
            place = f"{source}: row {row:,}: {check['field']}"
            raise RefusedError(f"{place}: expected {check['expected']}, found another value; correct {count:,} rows")
    for name, condition in about["rules"].items():
        if connection.execute(f"SELECT count(*) FROM {_name(ASKED)} WHERE NOT ({condition}\n)").fetchall()[0][0]:
            raise RefusedError(f"{source}: expected events that keep the rule {name!r}, found others; correct them")
    identity = ", ".join(map(_name, about["identity"]))
    query = f"SELECT count(*) FROM (SELECT 1 FROM {_name(ASKED)} GROUP BY {identity} HAVING count(*) > 1)"
    if count := connection.execute(query).fetchall()[0][0]:
        raise RefusedError(f"{source}: expected different events ({identity}), found {count:,} twice; remove them")


def _tables(connection: duckdb.DuckDBPyConnection, about: Any, tables: Path) -> None:
    """The tables as features.sql sees them: these events stand in place of known ones of the same identity."""
    for name in about["tables"]:
        if not (tables / f"{name}.parquet").is_file():
            raise RefusedError(f"{tables}: expected the clean table {name}.parquet, found nothing; name its folder")
        view = f"CREATE VIEW {_name(name)} AS SELECT * FROM"
        file = f"read_parquet({_text(tables / f'{name}.parquet')}, hive_partitioning = false)"
        if name == about["event"]:
            identity = ", ".join(map(_name, about["identity"]))
            file = f"{file} ANTI JOIN {_name(ASKED)} USING ({identity}) UNION ALL BY NAME SELECT * FROM {_name(ASKED)}"
        connection.execute(f"{view} {file}")


def _ask(connection: duckdb.DuckDBPyConnection, about: Any, model: Any, answers: str) -> None:
    """Write the prediction of each event beside its identity."""
    identity, kinds = ", ".join(map(_name, about["identity"])), about["features"]
    types = {"number": "DOUBLE"}
    values = ", ".join(f"{_name(name)}::{types.get(kind, 'VARCHAR')} AS {_name(name)}" for name, kind in kinds.items())
    connection.execute("SET threads = 1")  # as in training: with more, the last bit of a sum may differ
    computed = f"SELECT {identity}, {values} FROM (\n{content('features.sql').decode()}\n)"
    reader = connection.sql(f"{computed} SEMI JOIN {_name(ASKED)} USING ({identity})").to_arrow_reader(ROWS)
    writer = None
    for batch in reader:
        predicted = predictions(model, batch.select([*kinds]).to_pandas(), about)
        table = batch.select(about["identity"])
        for name, column in predicted.items():
            table = table.append_column(name, pa.array(column))
        writer = writer or pq.ParquetWriter(answers, table.schema)
        writer.write_batch(table)
    if writer is None:
        raise RefusedError("features.sql: expected one row for each event, found none; correct the events")
    writer.close()


def predictions(model: Any, features: pd.DataFrame, about: Any) -> dict[str, Any]:
    """What the model says of features: the prediction, and of many classes the probability of each."""
    task = about["task"]
    table = pd.DataFrame({name: _fed(features[name], kind) for name, kind in about["features"].items()})
    if task == "regression":
        return {"prediction": np.clip(np.asarray(model.predict(table), np.float64), -LARGEST, LARGEST)}
    shares = np.asarray(model.predict_proba(table), np.float64)
    if task == "binary":
        return {"prediction": shares[:, 1]}
    named = {name: shares[:, place] for place, name in enumerate(about["probabilities"])}
    return {"prediction": np.asarray(model.classes_, dtype=object)[shares.argmax(axis=1)], **named}


def _fed(column: pd.Series, kind: str) -> pd.Series:
    if kind == "number":
        return column.astype(np.float64).replace([np.inf, -np.inf], np.nan).clip(-WIDEST, WIDEST)
    missing = np.nan if kind == "category" else ""
    return column.astype(object).where(column.notna(), missing)


def _write(connection: duckdb.DuckDBPyConnection, about: Any, scratch: str, target: str) -> int:
    """Write the events with their predictions, whole; RefusedError unless features.sql gave one row for each."""
    identity, form = ", ".join(map(_name, about["identity"])), "csv, HEADER" if ".csv" in target else "parquet"
    names, moment = ", ".join(map(_name, about["columns"])), datetime.now(UTC).replace(tzinfo=None).isoformat()
    answers = f"read_parquet({_text(f'{scratch}/answers.parquet')})"
    events = f"SELECT {_name(ROW)}, {names} FROM {_name(EVENTS)}"
    joined = f"SELECT * FROM ({events}) JOIN {answers} USING ({identity})"
    rows, answered = (
        connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in (_name(ASKED), answers)
    )
    if rows != answered:
        raise RefusedError(
            f"features.sql: expected one row for each of {rows:,} events, found {answered:,}; correct them"
        )
    answered_by = f"{_text(about['version'])} AS model_version, TIMESTAMP {_text(moment)} AS predicted_at"
    query = f"SELECT * EXCLUDE ({_name(ROW)}), {answered_by} FROM ({joined}) ORDER BY {_name(ROW)}"
    whole = Path(scratch, "whole")
    connection.execute(f"COPY ({query}) TO {_text(whole)} (FORMAT {form})")
    whole.replace(target)
    return int(rows)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description="Predict events.")
    parser.add_argument("command", choices=["predict"])
    parser.add_argument("source", metavar="IN", help="events: a .parquet or .csv file")
    parser.add_argument("target", metavar="OUT", help="a .parquet or .csv file")
    parser.add_argument("--tables", default="clean", metavar="FOLDER", help="the clean tables; default: clean")
    arguments = parser.parse_args()
    try:
        count = predict(arguments.source, arguments.tables, arguments.target)
    except (RefusedError, OSError, duckdb.Error) as error:
        # A message of DuckDB may hold a value of a row.
        text = type(error).__name__ if isinstance(error, duckdb.Error) else str(error)
        sys.exit(f"error: {' '.join(text.split())}")
    print(f"{arguments.target}: {count:,} events")
