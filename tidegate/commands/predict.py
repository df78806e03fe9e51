"""`tidegate predict`: predicts the rows of a file with the champion."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.commands.command import JSON, SET, Command
from tidegate.commands.serve import CONTRACT, SIGN, TABLES, values
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tidegate.tracking.champion import Champion

OVERRIDDEN = ("serve.unknown", "serve.tables", SIGN)
STAGES = {
    "read": "read and check the rows",
    "features": "compute features of the events",
    "predict": "predict",
    "write": "write",
}


def predict(arguments: argparse.Namespace) -> None:
    """Predict the rows of IN with the champion, and write them with their predictions to OUT.

    IN is CSV or Parquet (.csv, .csv.gz, .parquet, a folder or a pattern of Parquet files) and holds events (what is
    known before them), whose features the champion's own SQL computes from the clean tables, or features by name. OUT
    has the same rows in the same order, and appears whole. A row that breaks the contract refuses the file.
    """
    from dataclasses import asdict

    from tidegate.components.predict.prediction import Asked, predict_file
    from tidegate.documents.formats import discard
    from tidegate.process.termination import unwinding
    from tidegate.serving.options import settings

    parameters = values(arguments.set, OVERRIDDEN)
    if arguments.tables:
        parameters["serve"]["tables"] = arguments.tables
    options = settings(parameters["serve"], str(TABLES))
    asked = Asked(
        arguments.IN, Path(arguments.OUT), options.tables, options.unknown, arguments.kind, arguments.skip_bad
    )
    champion = loaded(arguments.name, arguments.version, parameters["deploy"]["sign"])
    with unwinding(discard), watching() as watch:
        answered = predict_file(champion, asked, datetime.now(UTC).replace(tzinfo=None), watch)
    print(json.dumps(asdict(answered), indent=2) if arguments.json else summary(answered, asked.target))


def loaded(name: str | None, version: str | None, sign: str) -> "Champion":
    """The champion of a registered model, by default of the problem here, or another version of it."""
    from tidegate.components.predict.version import loaded as of_model
    from tidegate.contract.contract import read_contract

    if name is None and not CONTRACT.is_file():
        cure = "go to the folder of a problem, or name a registered model: --name"
        raise InputError(CONTRACT, "the contract of a problem", "nothing", cure)
    return of_model(name or read_contract(CONTRACT).name, version or "", sign)


@contextmanager
def watching() -> Iterator[Callable[[str, int, int], None]]:
    """Shows on stderr what is done, how many rows and how fast; without a terminal nothing."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tidegate.commands.console import Screen

    cells = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn())
    screen = Screen(file=sys.stderr)
    with Progress(*cells, console=screen, disable=not screen.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def watch(stage: str, done: int, total: int) -> None:
            for name, other in tasks.items():
                if name != stage:
                    progress.update(other, total=1, completed=1)
            task = tasks.setdefault(stage, None)
            if task is None:
                task = tasks[stage] = progress.add_task(STAGES[stage], total=None, rate="")
            if done:
                speed = progress.tasks[task].speed
                rate = f"{done:,} of {total:,} rows" + (f", {speed:,.0f} a second" if speed else "")
                progress.update(task, total=total, completed=done, rate=rate)

        yield watch


def summary(answered: Any, target: Path) -> str:
    """What was done, in words."""
    from tidegate.components.predict.outgoing import aside

    what = "events" if answered.kind == "event" else "rows of features"
    lines = [f"{target}: {answered.rows:,} {what}, predicted by version {answered.version}"]
    if answered.bad:
        lines.append(f"{aside(target)}: {answered.bad:,} bad rows, each with its reason")
    if answered.hidden:
        lines.append(f"left out, because private: {', '.join(answered.hidden)}")
    return "\n".join(lines)


COMMAND = Command(
    "predict the rows of a file with the champion",
    predict,
    {
        "IN": {"help": "a .csv, .csv.gz or .parquet file, or a folder or pattern of .parquet files"},
        "OUT": {"help": "a .csv, .csv.gz or .parquet file"},
        "--version": {"metavar": "VERSION", "help": "another version than the champion, such as 2"},
        "--name": {"metavar": "NAME", "help": "the registered model; default: the name in contract.yaml"},
        "--tables": {"metavar": "PLACE", "help": "a folder or an S3 prefix of clean tables; default: serve.tables"},
        "--kind": {
            "choices": ("event", "features"),
            "help": "what the rows are, where they have the columns of an event and the features",
        },
        "--skip-bad": {"action": "store_true", "help": "set bad rows aside, beside OUT: NAME.bad.csv"},
        "--set": {**SET, "help": "override serve.unknown, serve.tables or deploy.sign; may be repeated"},
        "--json": JSON,
    },
)
