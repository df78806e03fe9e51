"""Files of events and features of the small problem, and what the loop says of them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tidegate.components.predict.prediction import Answered, Asked, predict_file
from tidegate.tracking import journal
from tidegate.tracking.champion import Champion, champion_of
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

MOMENT = datetime(2024, 4, 2, 3, 4, 5)
Predict = Callable[..., Answered]


@pytest.fixture
def champion(released: "World") -> Champion:
    """The champion of the released problem."""
    client = connect()
    found = champion_of(client, "toy", journal.unrepaired(client, "toy", journal.history(client, "toy")), ())
    assert found is not None
    return found


@pytest.fixture
def offline(released: "World", champion: Champion) -> pd.DataFrame:
    """Every row of the features of the loop, with what the loop predicts for all of them at once."""
    rows = released.table("features/features")
    return rows.assign(prediction=np.asarray(champion.predict(rows)))


@pytest.fixture
def ask(released: "World", champion: Champion) -> Predict:
    """Predicts a file, or a table that is written to one, with the champion or a version like it."""

    def asked(source: Path | pd.DataFrame, target: Path, by: Champion | None = None, **changes: Any) -> Answered:
        if isinstance(source, pd.DataFrame):
            source = write(source, released / "in.parquet")
        usual = {"tables": str(released / "clean"), "unknown": "accept", "kind": None, "skip_bad": False}
        return predict_file(
            by or champion, Asked(str(source), target, **{**usual, **changes}), MOMENT, lambda *_: None
        )

    return asked


def write(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table in the format of the ending."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, na_rep="NA")
    return path


def read(path: Path) -> pd.DataFrame:
    """Read an answer, with every bit of its numbers."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, parse_dates=["predicted_at"], float_precision="round_trip")
