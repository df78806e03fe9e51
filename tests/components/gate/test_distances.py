"""The scores of the true labelling are Evidently's own, and those of the others are what a direct count gives."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tidegate.components.gate.columns import presented
from tidegate.components.gate.distances import METHODS
from tidegate.components.gate.permutation_test import _column, compare
from tidegate.components.gate.permutations import Sides

cases = [(kind, method) for kind, names in METHODS.items() for method in names]


def evidently(reference: pd.DataFrame, batch: pd.DataFrame, kinds: dict[str, str], method: str) -> dict[str, float]:
    """What Evidently says of the frames as they are presented to it."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    names = {kind: [name for name, found in kinds.items() if found == kind] for kind in METHODS}
    definition = DataDefinition(numerical_columns=names["number"], categorical_columns=names["category"])
    sides = [Dataset.from_pandas(frame, definition) for frame in presented(reference, batch, kinds)]
    found = Report([ValueDrift(column=name, method=method) for name in kinds]).run(sides[1], sides[0])
    metrics = json.loads(found.json())["metrics"]
    return {metric["config"]["column"]: float(metric["value"]) for metric in metrics}


def scores(reference: pd.DataFrame, batch: pd.DataFrame, kinds: dict[str, str], method: str) -> dict[str, Any]:
    blocks = (pd.Series(np.arange(len(reference)) % 4), pd.Series(np.arange(len(batch)) % 4))
    found = compare(reference, batch, *blocks, kinds, dict.fromkeys(METHODS, method), 0.05, 0)
    return {name: column.score for name, column in found.columns.items()}


def numbers(random: np.random.Generator, rows: int, moved: bool) -> dict[str, Any]:
    away = 0.4 if moved else 0.0
    return {
        "normal": random.normal(away, 1, rows),
        "skewed": random.lognormal(away, 2, rows),
        "few": random.integers(0, 20, rows) * (1 + away),
        "more": random.integers(0, 23, rows).astype(float),
        "huge": random.normal(away, 1, rows) * 1e29,
        "small": random.normal(away, 1, rows) * 1e-5,
        "far": 1.7e9 + random.normal(away, 1, rows),
        "constant": np.full(rows, 7.0),
        "moved": np.full(rows, 7.0 + moved),
        "infinite": np.where(np.arange(rows) % 50 == 0, np.inf, random.normal(away, 1, rows)),
        "minus_zero": np.where(random.random(rows) < 0.5, -0.0, 0.0 + moved),
        "whole": pd.array(random.integers(0, 50, rows), dtype="Int64"),
        "truth": random.random(rows) < 0.5 + away / 2,
    }


def texts(random: np.random.Generator, rows: int, moved: bool) -> dict[str, Any]:
    return {
        "three": random.choice(["x", "y", "z"], rows, p=[0.3, 0.3, 0.4] if moved else [0.6, 0.3, 0.1]),
        "new": random.choice(["x", "new" if moved else "old", "z"], rows),
        "null": pd.Series(random.choice(np.array(["x", "y", None if moved else "y"], dtype=object), rows)),
        "many": [f"n{n}" for n in random.zipf(1.3, rows) % 5000],
        "one": ["x"] * rows,
        "whole": pd.array(random.integers(0, 5, rows), dtype="Int64") if moved else random.integers(0, 5, rows),
        "truth": pd.array(random.random(rows) < (0.3 if moved else 0.4), dtype="boolean"),
        "mixed": pd.Series(random.choice(np.array(["1", 1, 2.0], dtype=object), rows)),
        "factor": pd.Categorical(random.choice(["x", "y"], rows), ["x", "y", "never"]),
    }


@pytest.mark.parametrize(("kind", "method"), cases)
@pytest.mark.parametrize("rows", [(3000, 700), (60, 90), (1, 1)])
def test_the_score_is_evidentlys(kind: str, method: str, rows: tuple[int, int]) -> None:
    random = np.random.default_rng(sum(rows))
    made = numbers if kind == "number" else texts
    reference, batch = (pd.DataFrame(made(random, count, bool(side))) for side, count in enumerate(rows))
    kinds = {str(name): kind for name in reference}
    if rows == (1, 1):  # Evidently refuses a side without a value, and one huge value
        kinds = {name: kind for name in kinds if name not in ("infinite", "huge")}
    theirs, ours = evidently(reference, batch, kinds, method), scores(reference, batch, kinds, method)
    # The square root of a last bit: two equal sides are 1e-8 apart for Evidently, whichever order its sets have.
    near = {"hellinger": 3e-8, "jensenshannon": 3e-8}.get(method, 0.0)
    for name, score in theirs.items():
        assert ours[name] == pytest.approx(score, rel=1e-9, abs=max(1e-9, near if score < 1e-6 else 0)), name


@pytest.mark.parametrize(("kind", "method"), cases)
def test_every_labelling_is_scored_as_if_it_were_the_true_one(kind: str, method: str) -> None:
    random = np.random.default_rng(3)
    rows, blocks = 400, 14
    frame = pd.DataFrame((numbers if kind == "number" else texts)(random, rows, False))
    place = pd.Series(np.sort(random.integers(0, blocks, rows)))
    frame.loc[place == 13, "infinite" if kind == "number" else "null"] = np.nan
    batch = place >= 9
    sides = Sides(frame[~batch], frame[batch], place[~batch], place[batch])
    labellings = sides.labellings(sides.keys(12, 5), sides.places, 0.5)
    assert labellings.sum(axis=1).tolist() == [5] * 12
    assert labellings[0].tolist() == [False] * 9 + [True] * 5
    assert len({tuple(row) for row in labellings.tolist()}) > 9
    for name in map(str, frame):
        _, drawn = _column(sides, name, kind, method, sides.keys(12, 5), 0.5, counts_nulls=True)
        for labelling, score in zip(labellings, drawn, strict=True):
            now = labelling[place]
            again = compare(frame[~now], frame[now], place[~now], place[now], {name: kind}, {kind: method}, 0.05, 0)
            if method in ("jensenshannon", "psi") and frame[name].nunique() > 20:
                continue  # whether numbers are binned is decided by the true reference alone
            assert score == pytest.approx(again.columns[name].score, abs=1e-9), name
