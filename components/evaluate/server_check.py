"""The server check: a fresh process loads the model from its bytes, and must predict golden rows as this one does."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tidegate.components.evaluate.checks import counted
from tidegate.documents.formats import read_json, write_json, write_tables
from tidegate.documents.verdict import CheckResult
from tidegate.process import limits
from tidegate.process.errors import ModelError
from tidegate.process.fork import command
from tidegate.scoring.scores import Predictions, Vector, differing, predict

MOST_ROWS = 256


class Fresh(NamedTuple):
    """What a fresh process predicts of rows, in order, and the seconds that each part took."""

    predictions: Vector
    seconds: Mapping[str, float]


def golden_rows(rows: pd.DataFrame, hostile: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """Features of rows that are spread evenly over the batch, then the hostile ones."""
    picked = np.unique(np.linspace(0, len(rows) - 1, MOST_ROWS).round().astype(int))
    whole = pd.concat([rows[list(features)].iloc[picked].astype(object), hostile.astype(object)], ignore_index=True)
    kinds = {name: np.float64 for name, kind in features.items() if kind == "number"}
    return whole.astype(kinds)


def server_check(
    model: Any, path: Path, digest: str, golden: pd.DataFrame, features: Mapping[str, str], task: str
) -> tuple[CheckResult, dict[str, float]]:
    """Whether a fresh process gives the same numbers, and how large and how fast the model is there."""
    fresh = predicted_afresh(path, digest, golden, features, task)
    latency = {f"{name}_milliseconds": 1000 * seconds for name, seconds in fresh.seconds.items()}
    check = equality(predict(model, golden, features, task), fresh.predictions)
    return check, {**latency, "bytes": float(path.stat().st_size)}


def equality(expected: Predictions, served: Vector) -> CheckResult:
    """Refused when a row was given another number; twelve digits count, the last bit is the machine's."""
    here = np.asarray(expected, dtype=np.float64)
    other = differing(here, served)
    passing = f"says the same in a fresh process, of {len(here):,} golden rows"
    failing = f"says other numbers in a fresh process, of {other:,} of {len(here):,} golden rows"
    return counted("server", other, passing, failing)


def predicted_afresh(path: Path, digest: str, golden: pd.DataFrame, features: Mapping[str, str], task: str) -> Fresh:
    """The predictions of a fresh process; ModelError when it cannot."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_tables(folder / "rows", {"golden": golden})
        write_json(folder / "features.json", dict(features))
        ports = {"model": path.resolve(), "digest": digest, "rows": folder / "rows", "task": task}
        ports |= {name: folder / f"{name}.json" for name in ("features", "answers")}
        _run([word for name, value in ports.items() for word in (f"--{name}", str(value))], path)
        answers = read_json(folder / "answers.json")
    return Fresh(np.asarray(answers["predictions"]), answers["seconds"])


def _run(words: list[str], path: Path) -> None:
    launched = command("tidegate.components.evaluate.fresh_process", *words)
    try:
        process = subprocess.run(
            launched,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limits.FRESH_PROCESS_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise ModelError(
            path, "an answer of a fresh process", f"none in {limits.FRESH_PROCESS_SECONDS} s", "name a smaller model"
        ) from None
    if process.returncode:
        last = (process.stderr.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        raise ModelError(path, "an answer of a fresh process", last.removeprefix("error: "), "see the log") from None


def _environment() -> dict[str, str]:
    """Ours, without what ties a step to DVC: the process ends with this one anyway."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "TIDEGATE_SIGNING"))}
