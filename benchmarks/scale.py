"""How long each step takes and how much memory, by the number of events: the flights of the sample, many times over.

`python benchmarks/scale.py --rows 300000 3000000 --json`: a copy of a flight has another carrier, so that keys are
unique; weather and aircraft are as they were. Seconds are of the clock and include the start of the process; the batch
is the last four weeks of the year, the window all of it. A step that refuses is shown with its exit code, and ends it.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from tidegate.commands.draft import STAGES
from tidegate.commands.loop.sample import copy_sample
from tidegate.documents.formats import read_yaml

ROOT = Path(__file__).parents[1]
FILES = ("contract.yaml", "features.sql", "model.yaml", "params.yaml")
STEPS = ("ingest", "validate", "featurize", "gate", "train", "evaluate")
UNTIL = "2014-01-01"


def problem(folder: Path, rows: int) -> None:
    """The problem of this repository with so many flights."""
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    parameters = folder / "params.yaml"
    parameters.write_text(parameters.read_text().replace('until: "2013-03-01"', f'until: "{UNTIL}"'))
    copy_sample(folder / "data")
    flights = folder / "data/flights.csv"
    with duckdb.connect() as connection:
        events = f"(SELECT * FROM read_csv('{flights}', all_varchar = true, header = true, nullstr = ''))"
        (count,) = connection.execute(f"SELECT count(*) FROM {events}").fetchone() or (0,)
        query = (
            f"SELECT given.* REPLACE (carrier || CASE copy WHEN 0 THEN '' ELSE copy::VARCHAR END AS carrier) "
            f"FROM {events} AS given, range({-(-rows // count)}) AS copies(copy) LIMIT {rows}"
        )
        connection.execute(f"COPY ({query}) TO '{flights}.new' (HEADER, NULLSTR '')")
    flights.with_suffix(".csv.new").rename(flights)


def measured(step: str, folder: Path) -> dict[str, Any]:
    """Seconds, peak memory and exit code of a step, run as DVC runs it."""
    words = shlex.split(read_yaml(STAGES)["stages"][step]["cmd"])[1:]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "tidegate", *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
        "exit_code": process.returncode,
    }


def main() -> None:
    """Measure each size and print a line per step, or one JSON list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[300_000, 3_000_000, 10_000_000])
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    measurements: list[dict[str, Any]] = []
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as temporary:
            problem(Path(temporary), rows)
            for step in STEPS:
                cost = measured(step, Path(temporary))
                measurements.append(
                    {"rows": rows, "step": step, **cost, "rows_per_second": round(rows / cost["seconds"])}
                )
                if not arguments.json:
                    print(measurements[-1], flush=True)
                if cost["exit_code"]:
                    break
    if arguments.json:
        print(json.dumps(measurements, indent=2))


if __name__ == "__main__":
    main()
