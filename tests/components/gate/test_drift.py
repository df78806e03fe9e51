"""Drift scores see what was planted, and nothing where nothing was."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.gate import drift
from components.gate.columns import presented
from components.gate.distances import methods
from components.gate.relabelling import compare

kinds = {"n": "number", "c": "category"}
root = Path(__file__).parents[3]
in_a_process = """
import numpy as np
import pandas as pd
from components.gate import drift
from components.gate.columns import presented
from components.gate.distances import methods
from components.gate.relabelling import compare
random = np.random.default_rng(0)
sides = [
    pd.DataFrame({f"c{n}": random.choice([*map(str, range(n)), None], rows) for n in range(20, 30)})
    for rows in (3000, 2000)
]
print(drift.snapshot(*sides, dict.fromkeys(sides[0], "category")).json())
"""


def frame(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {"n": random.normal(10, 2, rows), "c": random.choice(["x", "y", "z"], rows, p=[0.6, 0.3, 0.1])}
    )


def scores(reference: pd.DataFrame, batch: pd.DataFrame) -> dict[str, float]:
    return drift.scores(drift.snapshot(reference, batch, drift.comparable(reference, batch, kinds)))


def test_the_same_distribution_scores_next_to_nothing() -> None:
    found = scores(frame(3000, 0), frame(2000, 1))
    assert list(found) == ["n", "c"]
    assert max(found.values()) < 0.1


@pytest.mark.parametrize(
    ("planted", "n", "c"),
    [
        ({"n": lambda batch: batch["n"] + 2}, (0.9, 1.1), (0, 0.1)),  # one standard deviation
        ({"n": lambda batch: batch["n"] - 6}, (2.8, 3.2), (0, 0.1)),
        ({"n": lambda batch: 10.0}, (0.6, 1.0), (0, 0.1)),
        ({"n": lambda batch: batch["n"].mask(batch.index % 10 < 4, np.inf)}, (0, 0.1), (0, 0.1)),
        ({"c": lambda batch: "new"}, (0, 0.1), (0.8, 1.0)),
        ({"c": lambda batch: batch["c"].mask(batch.index % 2 == 0, "new")}, (0, 0.1), (0.3, 0.8)),
        ({"c": lambda batch: batch["c"].replace({"x": "y", "y": "x"})}, (0, 0.1), (0.15, 0.5)),
    ],
)
def test_what_is_planted_is_scored(planted: dict[str, Any], n: tuple[float, float], c: tuple[float, float]) -> None:
    found = scores(frame(3000, 0), frame(2000, 1).assign(**planted))
    assert n[0] <= found["n"] <= n[1]
    assert c[0] <= found["c"] <= c[1]


def test_a_constant_reference_still_scores() -> None:
    still, moved = frame(500, 0).assign(n=3.0, c="x"), frame(500, 1).assign(n=5.0, c="x")
    assert scores(still, still) == pytest.approx({"n": 0.0, "c": 0.0})
    found = scores(still, moved)
    assert found["n"] > 1
    assert np.isfinite(list(found.values())).all()


@pytest.mark.parametrize(
    ("values", "shift"),
    [
        (lambda batch: batch["n"], 0.0),
        (lambda batch: np.nan, 1.0),
        (lambda batch: np.inf, 1.0),
        (lambda batch: batch["n"].mask(batch.index % 4 == 0), 0.25),
        (lambda batch: batch["n"].mask(batch.index % 4 == 0, -np.inf), 0.25),
    ],
)
def test_what_evidently_drops_is_counted(values: Any, shift: float) -> None:
    reference, batch = frame(400, 0), frame(400, 1)
    changed = batch.assign(n=values(batch))
    assert drift.null_shifts(reference, changed, kinds) == pytest.approx({"n": shift, "c": 0.0})
    assert drift.null_shifts(changed, reference, kinds)["n"] == pytest.approx(shift)


@pytest.mark.parametrize(
    ("value", "drawn"), [(3.0, True), (-1e13, True), (1e15, False), (-1e29, False), (1e300, False), (np.inf, False)]
)
def test_a_column_that_evidently_cannot_draw_is_left_out(value: float, drawn: bool) -> None:
    full, still = presented(frame(50, 0), frame(50, 1).assign(n=value), kinds)
    found = drift.comparable(full, still, kinds)
    assert ("n" in found) == drawn
    assert list(drift.scores(drift.snapshot(full, still, found))) == list(found)


@pytest.mark.parametrize(("number", "category"), zip(methods["number"], (*methods["category"], "psi"), strict=True))
def test_the_report_says_what_the_gate_compares(number: str, category: str) -> None:
    before, now = frame(300, 0), frame(200, 1)
    now = now.assign(n=now["n"].mask(now.index == 3, np.inf), c=now["c"].mask(now.index % 3 == 0))
    sides = presented(before, now, kinds)
    chosen = {"number": number, "category": category}
    blocks = (pd.Series(np.arange(300) // 30), pd.Series(np.arange(200) // 20))
    ours = compare(before, now, *blocks, kinds=kinds, chosen=chosen, rate=0.05, seed=0).columns
    theirs = drift.scores(drift.snapshot(*sides, drift.comparable(*sides, kinds), chosen))
    assert {name: column.score for name, column in ours.items()} == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("nothing", [{"n": np.nan}, {"n": np.inf}, {"c": None}, {"n": None, "c": np.nan}])
def test_columns_without_values_on_a_side_are_not_compared(nothing: dict[str, Any]) -> None:
    full = frame(50, 0)
    empty = full.assign(**nothing)
    for sides in ((full, empty), (empty, full), (empty, empty)):
        assert drift.comparable(*sides, kinds) == {name: kind for name, kind in kinds.items() if name not in nothing}


def test_the_document_is_the_same_for_the_same_rows() -> None:
    sides = frame(300, 0), frame(200, 1)
    assert drift.snapshot(*sides, kinds).json() == drift.snapshot(*sides, kinds).json()


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
