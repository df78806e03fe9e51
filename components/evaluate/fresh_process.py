"""A process that loads a model as a server does, and predicts rows."""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tidegate import models
from tidegate.documents.formats import read_json, read_table, write_json
from tidegate.process.command import Output, run
from tidegate.process.termination import leave_after
from tidegate.scoring.scores import predict

REPEATS = 10


def fresh(model: Path, digest: str, rows: Path, features: Path, task: str, answers: Output) -> None:
    """Load the model from its bytes by the checked loader and write its predictions, with the seconds it takes."""
    kinds, table = read_json(features), read_table(rows, "golden")
    start = time.perf_counter()
    loaded = models.load(model, digest)
    seconds = {"load": time.perf_counter() - start}
    predicted = np.asarray(predict(loaded, table, kinds, task), dtype=np.float64)
    seconds |= {"one_row": _median(loaded, table.iloc[:1], kinds, task), "golden": _median(loaded, table, kinds, task)}
    write_json(answers, {"predictions": predicted.tolist(), "seconds": seconds})


def _median(model: Any, table: pd.DataFrame, kinds: Mapping[str, str], task: str) -> float:
    """The median of the seconds that the same rows take again and again."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        predict(model, table, kinds, task)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


if __name__ == "__main__":
    leave_after(partial(run, fresh))
