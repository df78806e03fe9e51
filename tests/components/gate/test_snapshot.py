"""Evidently's report of what was compared: the same limits, the named methods, the same bytes everywhere."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import decisions
from tidegate.components.gate import snapshot
from tidegate.components.gate.evidently_workspace import dumped

kinds = {"n": "number", "c": "category"}
root = Path(__file__).parents[3]
in_a_process = """
import numpy as np
import pandas as pd
from tidegate.components.gate import snapshot
random = np.random.default_rng(0)
sides = [
    pd.DataFrame({f"c{n}": random.choice([*map(str, range(n)), None], rows) for n in range(20, 30)})
    for rows in (3000, 2000)
]
print(snapshot.snapshot(*sides, dict.fromkeys(sides[0], "category")).json())
"""


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {"n": random.normal(10, 2, rows), "c": random.choice(["x", "y", "z"], rows, p=[0.6, 0.3, 0.1])}
    )


def drifted(reference: pd.DataFrame, batch: pd.DataFrame, limits: dict[str, float | None] | None = None) -> set[str]:
    """The columns that Evidently's own report calls drifted."""
    found = json.loads(snapshot.snapshot(reference, batch, kinds, limits=limits).json())["metrics"]
    values = {one["config"]["column"]: one for one in found if "column" in one["config"]}
    return {name for name, one in values.items() if one["value"] > one["config"]["threshold"]}


def test_what_chance_does_is_the_limit_in_evidently_too() -> None:
    reference, batch = frame(3000, 0), frame(2000, 1)
    moved = batch.assign(n=batch["n"] + 1)  # half a standard deviation
    assert drifted(reference, batch) == set()
    assert drifted(reference, moved) == {"n"}
    assert drifted(reference, moved, {"n": 0.7, "c": None}) == set()
    assert drifted(reference, moved, {"n": 0.3, "c": None}) == {"n"}


@pytest.mark.parametrize("method", ["psi", "hellinger", "jensenshannon"])
def test_the_method_is_the_one_that_is_named(method: str) -> None:
    shot = snapshot.snapshot(frame(300, 0), frame(200, 1), kinds, {"number": method, "category": "psi"})
    configs = [one["config"] for one in json.loads(shot.json())["metrics"]]
    assert {one["column"]: one["method"] for one in configs if "column" in one} == {"n": method, "c": "psi_ordered"}


def test_nulls_are_a_category_of_their_own() -> None:
    reference, batch = frame(3000, 0), frame(2000, 1)
    assert drifted(reference, batch.assign(c=batch["c"].mask(batch.index % 2 == 0))) == {"c"}


@pytest.mark.parametrize("nothing", [{"n": np.nan}, {"n": np.inf}, {"n": None, "c": None}])
def test_columns_without_numbers_on_a_side_are_left_out(nothing: dict[str, Any]) -> None:
    full = frame(50, 0)
    empty = full.assign(**nothing)
    for sides in ((full, empty), (empty, full), (empty, empty)):
        found = json.loads(snapshot.snapshot(*sides, kinds).json())["metrics"]
        assert "n" not in {one["config"].get("column") for one in found}


def test_the_document_is_the_same_for_the_same_rows() -> None:
    sides = frame(300, 0), frame(200, 1)
    assert snapshot.snapshot(*sides, kinds).json() == snapshot.snapshot(*sides, kinds).json()


def test_nothing_lacks_that_evidently_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept() -> str:
        return dumped(snapshot.snapshot(frame(300, 0), frame(200, 1), kinds), decisions.decision("keep"))

    drawn_once = kept()
    monkeypatch.setattr(snapshot, "_drawn_once", nullcontext)
    assert kept() == drawn_once


def test_the_document_is_the_same_in_another_process() -> None:
    documents = [
        subprocess.run(
            [sys.executable, "-c", in_a_process],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert documents[0] == documents[1] != b""


on_any_machine = """
from tidegate.components.gate import snapshot
import numpy as np
import pandas as pd
random = np.random.default_rng(0)
sides = [pd.DataFrame({f"n{n}": random.lognormal(0, 1, rows) for n in range(8)}) for rows in (50_000, 40_000)]
print(snapshot.snapshot(*sides, dict.fromkeys(sides[0], "number")).json())
"""


def test_the_document_is_the_same_on_a_machine_with_one_core() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    documents = [
        subprocess.run(
            [sys.executable, "-c", on_any_machine], cwd=root, env=environment | own, capture_output=True, check=True
        ).stdout
        for own in ({}, {"OPENBLAS_NUM_THREADS": "1"})
    ]
    assert documents[0] == documents[1] != b""
