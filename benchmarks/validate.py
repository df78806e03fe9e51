"""How fast validate is and how much memory it takes, on generated tables as wide as the sample's flights.

`python benchmarks/validate.py --rows 1000000 10000000 --json`: each size in a process of its own; good rows, then one
bad row in a thousand, which are set aside. Rows are those of the one table; seconds include the start of the process.
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

from tidegate.documents.manifest import Edges, Manifest

root = Path(__file__).parents[1]
contract = """\
name: flights
purpose: benchmark
task: binary
event: flights
label: late
label_delay: 1d
horizon: 6h
block: 1d
tables:
"""


def generate(path: Path, rows: int, bad_every: int) -> None:
    """Write flights in total order; every `bad_every`-th breaks a promise, none does for 0."""
    broken = f"i % {bad_every} = 0" if bad_every else "false"
    late = "i % 40 = 0"
    query = f"""
        SELECT 2013::BIGINT AS year, (1 + i // 1000000 % 12)::BIGINT AS month, (1 + i % 28)::BIGINT AS day,
            CASE WHEN NOT {late} THEN 1 + hash(i) % 2400 END::BIGINT AS dep_time,
            (hash(i, 1) % 2360)::BIGINT AS sched_dep_time,
            CASE WHEN NOT {late} THEN (hash(i, 2) % 300)::BIGINT - 20 END AS dep_delay,
            CASE WHEN NOT {late} THEN 1 + hash(i, 3) % 2400 END::BIGINT AS arr_time,
            (hash(i, 4) % 2360)::BIGINT AS sched_arr_time,
            CASE WHEN NOT {late} THEN (hash(i, 5) % 400)::BIGINT - 60 END AS arr_delay,
            ['AA', 'B6', 'DL', 'EV', 'UA', 'WN'][1 + i // 9000 % 6] AS carrier, 1 + i % 9000 AS flight,
            'N' || hash(i, 6) % 4000 AS tailnum,
            CASE WHEN {broken} THEN 'XXX' ELSE ['EWR', 'JFK', 'LGA'][1 + (hash(i, 7) % 3)::BIGINT] END AS origin,
            'D' || hash(i, 8) % 105 AS dest, CASE WHEN NOT {late} THEN 20 + hash(i, 9) % 600 END::BIGINT AS air_time,
            (80 + hash(i, 10) % 4900)::BIGINT AS distance, i % 24 AS hour, i % 60 AS minute,
            TIMESTAMP '2013-01-01' + to_seconds(i // 54000 * 3600) AS time_hour
        FROM range({rows}) AS numbers(i)
    """
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '1GB'")
        connection.execute(f"SET temp_directory = '{path.parent}/spill'")
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def problem(folder: Path) -> None:
    """The sample's promises for flights, and a manifest."""
    text = (root / "contract.yaml").read_text()
    flights = text[text.index("  flights:\n") : text.index("  weather:\n")]
    (folder / "contract.yaml").write_text(contract + flights)
    Manifest("0.dir", "2030-01-01", Edges("2029-12-04", "2030-01-01"), {}, {}).write(folder / "manifest.json")


def measure(folder: Path) -> tuple[float, float]:
    """Seconds and peak MiB of one run of the command."""
    ports = {name: folder / name for name in ("tables", "clean", "quarantine")}
    ports |= {name: folder / f"{name}.json" for name in ("manifest", "findings")}
    ports |= {"contract": folder / "contract.yaml", "report": folder / "report.html"}
    words = [word for name, path in ports.items() for word in (f"--{name}", str(path))]
    words += ["--max_bad_share", "0.01", "--publish", ""]
    command = [sys.executable, "-m", "tidegate", "step", "validate", *words]
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    """Measure each size and print a line, or one JSON list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    measurements: list[dict[str, Any]] = []
    for rows in arguments.rows:
        for bad_every in (0, 1000):
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                (folder / "tables").mkdir()
                generate(folder / "tables/flights.parquet", rows, bad_every)
                problem(folder)
                seconds, peak = measure(folder)
                size = (folder / "tables/flights.parquet").stat().st_size
            measurements.append(
                {
                    "rows": rows,
                    "bad_rows": rows // bad_every if bad_every else 0,
                    "parquet_mib": round(size / 2**20, 1),
                    "seconds": round(seconds, 2),
                    "rows_per_second": round(rows / seconds),
                    "peak_mib": round(peak, 1),
                }
            )
            if not arguments.json:
                print(measurements[-1], flush=True)
    if arguments.json:
        print(json.dumps(measurements, indent=2))


if __name__ == "__main__":
    main()
