"""What a turn of the loop costs beside a plain script that does the same work: CPU seconds and seconds of the clock.

`python benchmarks/cycle.py --times 5 --json`: the batch of one month is decided by `tidegate run`, by `dvc repro` and
by `benchmarks/rivals/script.py`, in turn, each in a copy of a workspace that has a champion; then each is run again
with nothing to do, and so are the commands that list. Code is byte-compiled, and the first round is not counted.
`ratio` and `cpu_ratio` are those of `tidegate run` to the script, from the medians.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tidegate.commands.loop.sample import copy_sample

ROOT = Path(__file__).parents[1]
TIDEGATE = [sys.executable, "-P", "-m", "tidegate"]
DVC = [sys.executable, "-P", "-m", "dvc"]
PROBLEM = (
    *("contract.yaml", "features.sql", "model.yaml", "params.yaml", "dvc.yaml", "data.dvc", "cluster.yaml"),
    *(".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore", ".dvc/plots.html"),
)
CHAMPION, UNTIL = "2013-03-01", "2013-07-01"
LISTINGS = ("history", "batches", "status")
STEPS = 7


class Cost(NamedTuple):
    """Seconds of CPU, of all processes together, and of the clock."""

    cpu: float
    clock: float


def cost(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """What a command costs with all the processes that it starts."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - start)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each."""
    return Cost(*(round(statistics.median(values), 2) for values in zip(*costs, strict=True)))


def workspace(folder: Path, environment: Mapping[str, str]) -> Path:
    """The sample as a problem with its first champion, in a git repository of its own."""
    for name in PROBLEM:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    copy_sample(folder / "data")
    cost(["git", "init", "--quiet"], folder, environment)
    cost([*TIDEGATE, "run", "--until", CHAMPION], folder, environment)
    return folder


def round_of(prepared: Path, scratch: Path, environment: Mapping[str, str]) -> dict[str, Cost]:
    """One measurement of everything, each turn in a copy of its own."""
    costs = {}
    for name in ("run", "repro", "script"):
        folder = scratch / "turn"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(prepared, folder, symlinks=True)
        parameters = folder / "params.yaml"
        parameters.write_text(parameters.read_text().replace(CHAMPION, UNTIL))
        rival = [sys.executable, str(ROOT / "benchmarks/rivals/script.py"), "--folder", str(folder), "--until", UNTIL]
        command = {"run": [*TIDEGATE, "run"], "repro": [*DVC, "repro"], "script": rival}[name]
        costs[name] = cost(command, folder, environment)
        if name != "script":
            cost([*TIDEGATE, "run"], folder, environment)  # remembers the registry that `dvc repro` left
            costs[f"{name} with nothing to do"] = cost(command, folder, environment)
    cost([*TIDEGATE, "run"], prepared, environment)
    for name in LISTINGS:
        costs[name] = cost([*TIDEGATE, name], prepared, environment)
    return costs


def summary(rounds: Sequence[Mapping[str, Cost]]) -> dict[str, object]:
    """The medians, and what the goals are about."""
    medians = {name: median([costs[name] for costs in rounds]) for name in rounds[0]}
    run, script = medians["run"], medians["script"]
    return {
        "ratio": round(run.clock / script.clock, 2),
        "cpu_ratio": round(run.cpu / script.cpu, 2),
        "overhead_seconds_per_step": round((run.cpu - script.cpu) / STEPS, 2),
        "noop_seconds": medians["run with nothing to do"].cpu,
        "start_seconds": {name: medians[name].cpu for name in LISTINGS},
        "medians": {name: cost._asdict() for name, cost in medians.items()},
    }


def main() -> None:
    """Measure and print it, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    arguments = parser.parse_args()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    rounds = []
    with tempfile.TemporaryDirectory() as scratch:
        prepared = workspace(Path(scratch, "prepared"), environment)
        for _ in range(arguments.times + 1):
            rounds.append(round_of(prepared, Path(scratch), environment))
            if not arguments.json:
                print({name: cost._asdict() for name, cost in rounds[-1].items()}, flush=True)
    print(json.dumps(summary(rounds[1:]), indent=2))


if __name__ == "__main__":
    main()
