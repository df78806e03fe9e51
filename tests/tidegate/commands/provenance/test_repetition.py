"""A training held against its repetition: each thing that differs is a row, and the rest is silent."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tidegate.commands.provenance.repetition import compared, predictions

record: dict[str, Any] = {
    "digest": "sha256:a",
    "train_loss": 0.5,
    "rows": 100,
    "data": "d41d.dir",
    "made_from": {"files": {"flights.csv": "aa"}, "recipe": {"window_days": 365}},
    "environment": {"python": "3.11.2", "cpu": "A", "blas": "openblas 0.3 Haswell"},
    "packages": {"numpy": "2.3.1", "scikit-learn": "1.9.1"},
}


def test_the_same_is_the_same() -> None:
    found = compared(record, record)
    assert found["same"] and found["differs"] == [] and found["train_loss"]["difference"] == 0


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ({"environment": {**record["environment"], "cpu": "B"}}, ("environment.cpu", "A", "B")),
        ({"packages": {"numpy": "2.3.2", "scikit-learn": "1.9.1"}}, ("packages.numpy", "2.3.1", "2.3.2")),
        ({"packages": {"numpy": "2.3.1"}}, ("packages.scikit-learn", "1.9.1", None)),
        ({"data": "other.dir"}, ("data", "d41d.dir", "other.dir")),
        ({"rows": 101}, ("rows", 100, 101)),
        (
            {"made_from": {**record["made_from"], "files": {"flights.csv": "bb"}}},
            ("made_from.files.flights.csv", "aa", "bb"),
        ),
    ],
)
def test_what_differs_is_named(changed: dict[str, Any], row: tuple[str, Any, Any]) -> None:
    found = compared(record, {**record, **changed, "digest": "sha256:b", "train_loss": 0.51})
    assert not found["same"] and found["train_loss"]["difference"] == pytest.approx(0.01)
    assert [(it["what"], it["recorded"], it["again"]) for it in found["differs"]] == [row]


def lay(folder: Path, predicted: list[Any], rows: int = 3) -> Path:
    folder.mkdir()
    pd.DataFrame({"at": range(rows), "prediction": predicted}).to_parquet(folder / "reference.parquet")
    return folder


def test_predictions_are_compared_row_by_row(tmp_path: Path) -> None:
    before = lay(tmp_path / "a", [0.1, 0.2, 0.3])
    found = predictions(before, lay(tmp_path / "b", [0.1, 0.25, 0.3]))
    assert found == {"rows": 3, "largest": pytest.approx(0.05), "mean": pytest.approx(0.05 / 3)}
    assert predictions(before, lay(tmp_path / "c", [0.1, 0.2], 2)) == {"rows": 0, "largest": None, "mean": None}
    classes = predictions(lay(tmp_path / "d", ["x", "y", "z"]), lay(tmp_path / "e", ["x", "y", "y"]))
    assert classes == {"rows": 3, "largest": 1.0, "mean": pytest.approx(1 / 3)}
