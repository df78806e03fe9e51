"""A training held against its repetition: each thing that differs is a row, and the rest is silent."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.documents import RECORD, record_of
from tidegate.commands.provenance.repetition import compared, predictions

where, made_from = RECORD.environment, RECORD.made_from


def test_the_same_is_the_same() -> None:
    found = compared(RECORD, RECORD)
    assert found["same"] and found["differs"] == [] and found["train_loss"]["difference"] == 0


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ({"environment": replace(where, cpu="B")}, ("environment.cpu", where.cpu, "B")),
        ({"packages": {"numpy": "2.3.2"}}, ("packages.numpy", "2.1.0", "2.3.2")),
        ({"packages": {}}, ("packages.numpy", "2.1.0", None)),
        ({"data": "other.dir"}, ("data", RECORD.data, "other.dir")),
        ({"rows": 101}, ("rows", RECORD.rows, 101)),
        ({"dropped": {"note": "free text"}}, ("dropped", None, {"note": "free text"})),
        (
            {"made_from": replace(made_from, files={"flights.csv": "bb"})},
            ("made_from.files.flights.csv", "f" * 32, "bb"),
        ),
    ],
)
def test_what_differs_is_named(changed: dict[str, Any], row: tuple[str, Any, Any]) -> None:
    found = compared(RECORD, record_of(**changed, digest="sha256:b", train_loss=0.51))
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
