"""The flights month by month: what the gate decided, against what retraining gained.

`python benchmarks/gate_walk.py --json`: the loop is turned for each month in a clone of this repository, as the README
does. Where the gate stays shut, a copy of the clone trains all the same (`gate.mode: always`) and throws the result
away. The gain is the champion's loss minus the challenger's on the rows of the month, with one-sided 95 % bounds.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

root = Path(__file__).parents[1]
months = [*(f"2013-{month:02}-01" for month in range(3, 13)), "2014-01-01"]


def clone(folder: Path) -> Path:
    """This repository as it is committed, with the sample data."""
    subprocess.run(["git", "clone", "--quiet", str(root), str(folder)], check=True)
    shutil.copytree(root / "data", folder / "data")
    return folder


def turn(folder: Path, until: str) -> None:
    """One turn of the loop."""
    bin_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(folder), "PATH": bin_first}
    command = [sys.executable, "-m", "tidegate", "run", "--until", until]
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        raise SystemExit(f"{until}: {process.stderr.splitlines()[-1:]}")


def document(folder: Path, step: str, name: str) -> dict[str, Any]:
    """A file that a step wrote."""
    content: dict[str, Any] = json.loads((folder / f"artifacts/{step}/{name}.json").read_text())
    return content


def gain(folder: Path) -> list[float] | None:
    """What the challenger gained over the champion: mean, lower and upper bound; None without a champion."""
    checks = {check["name"]: check for check in document(folder, "evaluate", "verdict")["checks"]}
    if "champion" not in checks:
        return None
    low, high = checks["champion"]["interval"]
    return [round(-value, 4) for value in (checks["champion"]["number"], high, low)]


def month(folder: Path, until: str) -> dict[str, Any]:
    """One month: the decision, whether the challenger was accepted, and what retraining gained or would have."""
    turn(folder, until)
    decision = document(folder, "gate", "decision")
    result = {"until": until, "decision": decision["decision"], "because": decision["reasons"][0]}
    if decision["retrain"]:
        accepted = document(folder, "evaluate", "verdict")["accepted"]
        return {**result, "verdict": "accepted" if accepted else "refused", "gain": gain(folder)}
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(shutil.copytree(folder, Path(temporary) / "other", symlinks=True))
        params = (copy / "params.yaml").read_text()
        (copy / "params.yaml").write_text(params.replace("mode: auto", "mode: always"))
        turn(copy, until)
        return {**result, "verdict": "", "gain": gain(copy)}


def main() -> None:
    """Walk, and print a line per month, or one JSON list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    measurements = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = clone(Path(temporary) / "flights")
        for until in months:
            measurements.append(month(folder, until))
            if not arguments.json:
                print(measurements[-1], flush=True)
    if arguments.json:
        print(json.dumps(measurements, indent=2))


if __name__ == "__main__":
    main()
