"""The sample of the batch: the same rows whichever way they are read, spread over all of it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tidegate.components.gate import batch_rows
from tidegate.contract.contract import read_contract
from tidegate.documents.batch import Batch
from tidegate.tracking.champion import Champion, load_champion
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World


@pytest.fixture
def next_batch(released: "World") -> "World":
    released.run("ingest", "validate", "featurize", until="2024-04-29")
    return released


def champion() -> Champion:
    found = load_champion(connect(), "toy", ())
    assert found
    return found


@pytest.mark.parametrize("rows", [50, 336, 10_000])
def test_the_table_holds_what_its_own_sql_says(rows: int, next_batch: "World") -> None:
    batch = Batch.read(next_batch / "batch.json")
    table = batch_rows.from_table(champion(), next_batch / "features", batch, rows)
    own = batch_rows.from_sql(champion(), next_batch / "clean", batch, rows)
    pd.testing.assert_frame_equal(table[own.columns], own)
    assert len(table) == 336 if rows >= 336 else 25 < len(table) < 75
    assert table["at"].dt.date.nunique() > min(rows, 28) / 2


def test_another_batch_has_another_sample(next_batch: "World") -> None:
    batch = Batch.read(next_batch / "batch.json")
    one, same, other = (
        batch_rows.from_table(champion(), next_batch / "features", replace(batch, id=name * 16), 50) for name in "aab"
    )
    pd.testing.assert_frame_equal(one, same)
    assert set(one["id"]) != set(other["id"])


def test_the_table_is_read_only_where_it_says_the_same(next_batch: "World") -> None:
    batch, promise = Batch.read(next_batch / "batch.json"), read_contract(next_batch / "contract.yaml")
    assert champion().has_features_of(promise, batch)
    assert not champion().has_features_of(promise, replace(batch, recipe=replace(batch.recipe, sql="another")))
    next_batch.edit("contract.yaml", ("label_delay: 1d", "label_delay: 2d"))
    assert not champion().has_features_of(read_contract(next_batch / "contract.yaml"), batch)
    missing = next_batch.folder / "nowhere"
    seen = batch_rows.batch_sample(champion(), promise, missing, next_batch / "features", batch, 100)
    assert 60 < len(seen) < 140 and seen["prediction"].between(0, 1).all()
