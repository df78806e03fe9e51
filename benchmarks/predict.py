"""How long `tidegate predict` takes and how much memory, for events and features, by the number of rows.

`python benchmarks/predict.py --rows 1000000 10000000` in the folder of the sample after `tidegate run`: the flights of
the clean table many times over, a copy with another carrier. Seconds are of the clock, and of the processors with the
start of the process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

CLEAN, FEATURES = (
    Path("artifacts/validate/clean/flights.parquet"),
    Path("artifacts/featurize/features/features.parquet"),
)
KINDS = ("event", "features")


def rows(kind: str, count: int, path: Path) -> None:
    """Write so many rows of a kind."""
    source, identity = (CLEAN, "") if kind == "event" else (FEATURES, "EXCLUDE (time_hour, late, split)")
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '2GB'")
        (known,) = connection.execute(f"SELECT count(*) FROM '{source}'").fetchone() or (0,)
        read = (
            f"SELECT source.* {identity} REPLACE (carrier || CASE copy WHEN 0 THEN '' ELSE copy::TEXT END AS carrier) "
            f"FROM '{source}' AS source, range({-(-count // known)}) AS copies(copy) LIMIT {count}"
        )
        connection.execute(f"COPY ({read}) TO '{path}'")


def measured(source: Path, target: Path, kind: str) -> dict[str, Any]:
    """Seconds, peak memory and exit code of a prediction, run as a user runs it."""
    start = time.perf_counter()
    words = [sys.executable, "-m", "tidegate", "predict", str(source), str(target), "--kind", kind]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
        "exit_code": process.returncode,
    }


def main() -> None:
    """Measure each kind and size, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    measurements: list[dict[str, Any]] = []
    for count in arguments.rows:
        for kind in KINDS:
            with tempfile.TemporaryDirectory(dir=".") as folder:
                source = Path(folder, "in.parquet")
                rows(kind, count, source)
                cost = measured(source, Path(folder, "out.parquet"), kind)
            measurements.append({"rows": count, "kind": kind, **cost})
            if not arguments.json:
                print(measurements[-1], flush=True)
    if arguments.json:
        print(json.dumps(measurements, indent=2))


if __name__ == "__main__":
    main()
