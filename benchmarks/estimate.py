"""How well the loss is estimated without labels: estimate against truth, month by month, for three problems.

`python benchmarks/estimate.py --json`: the loop is turned for each month in a clone of this repository, for the
flights (two classes), and the examples temperature (a number) and wind (four classes). The first champion stays
(`gate.mode: never`), so that its loss may grow. Printed are the estimate and the loss on the labelled rows of each
batch, and whether the loss lay in the 95 % interval that the record before it allowed.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from gate_walk import clone, document, months, turn

PROBLEMS = {"flights": ".", "temperature": "examples/temperature", "wind": "examples/wind"}


def detail(folder: Path) -> dict[str, Any]:
    """What the gate noted of the estimate and of the loss of the batch."""
    signals = {signal["signal"]: signal["detail"] for signal in document(folder, "gate", "decision")["signals"]}
    return {"estimate": signals["estimate"], "decay": signals["decay"]} if "estimate" in signals else {}


def month(folder: Path, until: str) -> dict[str, Any] | None:
    """One month; None where nothing is compared, as for the first batch."""
    turn(folder, until)
    if not (noted := detail(folder)):
        return None
    estimate, loss = noted["estimate"], noted["decay"]["loss"]
    row = {"until": until, "estimate": round(estimate["labelled"], 4), "loss": round(loss, 4)}
    if bounds := estimate["interval"]:
        low, high = (estimate["verdict_loss"] + bound for bound in bounds)
        row |= {"interval": [round(low, 4), round(high, 4)], "held": low <= loss <= high}
    return row


def never(folder: Path) -> None:
    """Let the gate stay shut from now on."""
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("mode: auto", "mode: never"))


def begun(repository: Path, problem: str) -> Path:
    """The folder of a problem in a clone, with its first champion."""
    folder = repository / PROBLEMS[problem]
    until = next(line.split('"')[1] for line in (folder / "params.yaml").read_text().splitlines() if "until:" in line)
    turn(folder, until)
    never(folder)
    return folder


def walk(repository: Path, problem: str) -> list[dict[str, Any]]:
    """Every month after the first champion."""
    folder = begun(repository, problem)
    first = document(folder, "gate", "decision")["until"][:10]
    return [row for until in months if until > first and (row := month(folder, until))]


def main() -> None:
    """Walk, and print a line per month, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, for a program")
    parser.add_argument("problems", nargs="*", default=[*PROBLEMS], help="those to walk through; default: all")
    arguments = parser.parse_args()
    measured = {}
    for problem in arguments.problems:
        with tempfile.TemporaryDirectory() as temporary:
            repository = clone(Path(temporary) / "repository")
            measured[problem] = walk(repository, problem)
            if not arguments.json:
                for row in measured[problem]:
                    print(problem, row, flush=True)
    if arguments.json:
        print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
