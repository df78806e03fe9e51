"""Documents that are right, for tests to change."""

from dataclasses import replace
from typing import Any

from tidegate.documents.batch import Batch, Recipe

RECIPE = Recipe(contract="c" * 64, sql="5" * 64, estimator="e" * 64, window_days=365)
BATCH = Batch(
    id="d0855ff9d5721423",
    name="flights",
    data="d" * 32 + ".dir",
    start="2013-03-04T00:00:00",
    end="2013-04-01T00:00:00",
    rows=25_000,
    labelled_rows=24_100,
    history_rows=50_000,
    history_labelled_rows=49_000,
    features={"distance": "number"},
    recipe=RECIPE,
    files={"flights.csv": "f" * 32},
)


def batch_of(**changed: Any) -> Batch:
    """The batch, changed so."""
    return replace(BATCH, **changed)
