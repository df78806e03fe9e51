"""Columns in each other's place are told from columns that drifted."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tidegate.components.gate.swaps import swapped

if TYPE_CHECKING:
    from tests.toy import World

kinds = {"low": "number", "high": "number", "shop": "category", "desk": "category"}
drifted = dict.fromkeys(kinds, 1.0)


def frame(seed: int, rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "low": random.normal(10, 2, rows),
            "high": random.normal(100, 20, rows),
            "shop": random.choice(["north", "south"], rows),
            "desk": random.choice(["a", "b", "c"], rows),
        }
    )


def exchanged(batch: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    return batch.assign(**{one: batch[other], other: batch[one]})


@pytest.mark.parametrize(("one", "other"), [("low", "high"), ("shop", "desk")])
def test_two_columns_in_each_others_place_are_named(one: str, other: str) -> None:
    assert swapped(frame(0), exchanged(frame(1), one, other), kinds, drifted) == [(one, other)]


OTHERWISE: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "nothing happened": lambda batch: batch,
    "one moved to where the other is": lambda batch: batch.assign(low=batch["high"]),
    "both moved away": lambda batch: batch.assign(low=batch["low"] + 500, high=batch["high"] - 500),
    "one is empty": lambda batch: batch.assign(low=batch["high"], high=np.nan),
    "new categories": lambda batch: batch.assign(shop="web", desk="web"),
    "a small batch": lambda batch: exchanged(batch, "low", "high").head(20),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_drift_is_no_exchange(case: str) -> None:
    assert swapped(frame(0), OTHERWISE[case](frame(1)), kinds, drifted) == []


def test_columns_that_did_not_drift_are_not_looked_at() -> None:
    assert swapped(frame(0), exchanged(frame(1), "low", "high"), kinds, {"low": 0.1, "high": 0.1}) == []


def test_the_gate_stops_unless_it_is_meant(
    released: "World", builders: dict[str, Callable[..., pd.DataFrame]]
) -> None:
    orders, rates = builders["orders"](), builders["rates"]()
    late = [frame["at"].str[:10] >= "2024-04-11" for frame in (orders, rates)]
    random = np.random.default_rng(2)
    orders.loc[late[0], "price"] = random.normal(1, 0.1, late[0].sum()).round(4)
    rates.loc[late[1], "rate"] = random.normal(50, 15, late[1].sum()).round(2)
    released.lay(orders=orders, rates=rates)
    released.run("ingest", "validate", "featurize", until="2024-05-10")
    before = released.snapshot()
    found = released.command("gate")
    assert (found.returncode, len(found.stderr.splitlines())) == (2, 1), found.stderr
    assert "features price and rate of the batch: expected each to look as the champion learned it" in found.stderr
    assert released.snapshot() == before
    released.run("gate", mode="always")
    assert released.json("decision")["retrain"]
