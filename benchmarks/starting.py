"""How long `tidegate` takes to say what it is: seconds of CPU and of the clock, with byte-compiled code.

`python benchmarks/starting.py --times 10 --json`: each command line in processes of its own; the first of each, which
compiles, is not counted, and the median is told.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

root = Path(__file__).parents[1]
lines = ("--help", "--version", "", "run --help", "status --help")


def measure(words: list[str]) -> tuple[float, float]:
    """Seconds of CPU and of the clock of one process."""
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "tidegate", *words], cwd=root, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start


def main() -> None:
    """Measure each command line and print it, or one JSON list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    measurements = []
    for line in lines:
        measure(line.split())
        cpu, clock = zip(*(measure(line.split()) for _ in range(arguments.times)), strict=True)
        seconds = {"cpu": round(statistics.median(cpu), 3), "clock": round(statistics.median(clock), 3)}
        measurements.append({"command": f"tidegate {line}".strip(), **seconds})
        if not arguments.json:
            print(measurements[-1], flush=True)
    if arguments.json:
        print(json.dumps(measurements, indent=2))


if __name__ == "__main__":
    main()
