"""What the tests cost: CPU seconds of all their processes, and minutes of the clock.

`python benchmarks/suite.py` runs what `make test` runs, with `--all` also what `make test-all` adds, and names the
slowest tests. Servers that end after their test without being waited for are not counted.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TIERS = {"make test": "not more", "make test-all adds": "more"}
SLOWEST = 25


class Cost(NamedTuple):
    """What one tier costs."""

    tier: str
    cpu_seconds: float
    minutes: float
    passed: bool


def cost(tier: str, words: Sequence[str], program: Sequence[str]) -> Cost:
    """Run the tests of a tier; their output goes to stderr."""
    start = time.perf_counter()
    command = [*program, "-m", TIERS[tier], f"--durations={SLOWEST}", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    minutes = (time.perf_counter() - start) / 60
    return Cost(tier, round(usage.ru_utime + usage.ru_stime, 1), round(minutes, 2), process.returncode == 0)


def main() -> None:
    """Measure and print it, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="the second tier as well")
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    parser.add_argument("words", nargs="*", help="further words for pytest, after --")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    processes = ["--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]
    tiers = list(TIERS) if arguments.all else list(TIERS)[:1]
    costs = [cost(tier, arguments.words, [sys.executable, "-m", "pytest", *processes]) for tier in tiers]
    if arguments.json:
        print(json.dumps([each._asdict() for each in costs], indent=2))
        return
    for each in costs:
        outcome = "passed" if each.passed else "FAILED"
        print(f"{each.tier}: {each.cpu_seconds:,.0f} CPU s, {each.minutes:.1f} min, {outcome}")


if __name__ == "__main__":
    main()
