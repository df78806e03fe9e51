"""What the gate costs by the rows of the batch: seconds and peak memory of the whole step, its start included.

`python benchmarks/gate_cost.py --rows 300000 1000000 3000000 10000000 --json`: a champion is made by the real steps of
60 days of generated orders; then the feature tables of batches of 28 days are written as featurize writes them, and
`tidegate step gate` decides upon each with a fresh tracking store. `ratio` is to the time of the first size.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

root = Path(__file__).parents[1]
numbers, texts = 12, 4
history_rows = 120_000
sizes_by_default = (300_000, 1_000_000, 3_000_000, 10_000_000)
contract = f"""\
name: orders
purpose: benchmark
task: binary
event: orders
label: returned
label_delay: 1d
horizon: 6h
block: 1d
tables:
  orders:
    files: orders.parquet
    time: at
    key: [id]
    columns:
      at: {{type: timestamp}}
      id: {{type: integer}}
      back: {{type: boolean, role: outcome}}
{"".join(f"      n{place}: {{type: number}}{chr(10)}" for place in range(numbers))}\
{"".join(f"      t{place}: {{type: text}}{chr(10)}" for place in range(texts))}"""
columns = [*(f"n{place}" for place in range(numbers)), *(f"t{place}" for place in range(texts))]
sql = f"SELECT orders.at, id, back AS returned, {', '.join(columns)} FROM orders\n"
model = "estimator: sklearn.ensemble.HistGradientBoostingClassifier\nparameters: {max_iter: 50}\n"


def rows_sql(rows: int, start: str, days: int, label: str) -> str:
    """Orders evenly spread over days, in total order."""
    values = [f"(hash(i, {place}) % 1000 / 100)::DOUBLE AS n{place}" for place in range(numbers)]
    values += [f"'v' || hash(i, {numbers + place}) % {5 + 20 * place} AS t{place}" for place in range(texts)]
    at = f"TIMESTAMP '{start}' + to_microseconds((i::DOUBLE / {rows} * {days} * 86400e6)::BIGINT)"
    late = "hash(i, 0) % 1000 + hash(i, 99) % 1000 > 1000"
    return f"SELECT {at} AS at, i AS id, {late} AS {label}, {', '.join(values)} FROM range({rows}) AS numbers(i)"


def write(query: str, path: Path) -> None:
    """Write a query to Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '1GB'")
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def run(folder: Path, step: str) -> tuple[float, float]:
    """Seconds and peak MiB of one step, by the command of dvc.yaml."""
    from tidegate.documents.formats import read_yaml

    words = read_yaml(root / "dvc.yaml")["stages"][step]["cmd"].split()[1:]
    if "--if" in words:  # the gate is open here
        del words[words.index("--if") : words.index("--if") + 2]
    environment = {**os.environ, "PYTHONPATH": str(root), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    command = [sys.executable, "-m", "tidegate", *words]
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{step} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def set_until(folder: Path, until: str) -> None:
    """Let the batch end at another date."""
    from ruamel.yaml import YAML

    parameters = YAML().load(root / "params.yaml")
    parameters["ingest"]["until"] = until
    YAML().dump(parameters, folder / "params.yaml")


def with_champion(folder: Path) -> None:
    """The problem with 60 days of data and its first champion."""
    texts_of = {"contract.yaml": contract, "features.sql": sql, "model.yaml": model}
    for name, text in texts_of.items():
        (folder / name).write_text(text)
    write(rows_sql(history_rows, "2024-01-01", 60, "back"), folder / "data/orders.parquet")
    set_until(folder, "2024-03-01")
    for step in ("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy"):
        run(folder, step)


def batch_of(folder: Path, rows: int) -> None:
    """Put a batch of so many rows where featurize would, of data of its own."""
    from tidegate.documents.batch import Batch
    from tidegate.documents.digests import digests
    from tidegate.tables.recipe import batch_id

    place = folder / "artifacts/featurize"
    rows_of_batch = rows_sql(rows, "2024-03-01", 28, "returned")
    write(f"SELECT *, 'batch' AS split FROM ({rows_of_batch})", place / "features/features.parquet")
    before, start, end = Batch.read(place / "batch.json"), "2024-03-01T00:00:00", "2024-03-29T00:00:00"
    data = f"{rows:032x}"
    replace(
        before,
        id=batch_id(data, start, end, before.recipe),
        data=data,
        start=start,
        end=end,
        rows=rows,
        labelled_rows=rows,
        digests=digests(clean=folder / "artifacts/validate/clean", features=place / "features"),
    ).write(place / "batch.json")


def costs(sizes: Sequence[int], repetitions: int) -> Iterator[dict[str, Any]]:
    """Seconds, their ratio to those of the first size, and peak MiB of each size; the fastest repetition counts."""
    first = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with_champion(folder)
        shutil.copyfile(folder / "mlflow.db", folder / "before.db")
        for rows in sizes:
            batch_of(folder, rows)
            measured = [_measured(folder, rows) for _ in range(repetitions)]
            seconds, peak = min(value for value, _ in measured), max(value for _, value in measured)
            first = first or seconds
            ratio = round(seconds / first, 2)
            yield {"rows": rows, "seconds": round(seconds, 2), "ratio": ratio, "peak_mib": round(peak, 1)}


def _measured(folder: Path, rows: int) -> tuple[float, float]:
    shutil.copyfile(folder / "before.db", folder / "mlflow.db")
    cost = run(folder, "gate")
    decision = json.loads((folder / "artifacts/gate/decision.json").read_text())
    assert decision["window"]["rows"] == rows and decision["compared"], "nothing was compared"
    return cost


def main() -> None:
    """Measure each size and print a line, or one JSON list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=sizes_by_default)
    parser.add_argument("--repetitions", type=int, default=3, help="the fastest counts")
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    measurements = []
    for measurement in costs(arguments.rows, arguments.repetitions):
        measurements.append(measurement)
        if not arguments.json:
            print(measurement, flush=True)
    if arguments.json:
        print(json.dumps(measurements, indent=2))


if __name__ == "__main__":
    main()
