"""Batches as no source should send them: each is stopped with a line before it is compared, or decided upon."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.toy import World

Change = Callable[[pd.DataFrame, "pd.Series[bool]"], pd.DataFrame]


def changed(column: str, value: Any) -> Change:
    """A column of the batch set to something."""

    def change(orders: pd.DataFrame, batch: "pd.Series[bool]") -> pd.DataFrame:
        return orders.assign(**{column: orders[column].astype(object).mask(batch, value)})

    return change


def cut(rows: int) -> Change:
    """Only so many rows of the batch."""
    return lambda orders, batch: pd.concat([orders[~batch], orders[batch].head(rows)])


def twice(orders: pd.DataFrame, batch: "pd.Series[bool]") -> pd.DataFrame:
    return pd.concat([orders, orders["price"]], axis=1)


STOPPED: dict[str, tuple[str, Change, str]] = {
    "a column gone": ("validate", lambda orders, _: orders.drop(columns="price"), "price"),
    "a column that nobody promised": ("validate", lambda orders, _: orders.assign(discount=1), "discount"),
    "a category that nobody promised": ("validate", changed("shop", "west"), "shop"),
    "infinities": ("validate", changed("price", "inf"), "price"),
    "text in a number": ("validate", changed("price", "cheap"), "price"),
    "a name twice": ("ingest", twice, "price"),
}
DECIDED: dict[str, tuple[Change, str, str, str]] = {
    "no row": (cut(0), "cannot tell", "", "0 rows are too few"),
    "one row": (cut(1), "cannot tell", "", "1 rows are too few"),
    "nothing but nulls": (changed("price", np.nan), "retrain", "drift of price", "100% more rows without a value"),
    "a constant": (changed("price", 50.0), "retrain", "drift of price", "price drifted by"),
    "one category of two": (changed("shop", "south"), "keep", "drift of shop", "shop drifted by"),
}


def lay(world: "World", builders: dict[str, Callable[..., pd.DataFrame]], change: Change) -> None:
    orders = builders["orders"]()
    world.lay(orders=change(orders, (orders["at"] >= "2024-04-01") & (orders["at"] < "2024-04-29")))


@pytest.mark.parametrize("name", STOPPED)
def test_it_is_stopped_before_it_is_compared(
    name: str, released: "World", builders: dict[str, Any], fails: Callable[..., list[str]]
) -> None:
    step, change, column = STOPPED[name]
    lay(released, builders, change)
    if step == "validate":
        released.run("ingest", until="2024-04-29")
        lines = fails(released, step)
    else:
        lines = fails(released, step, until="2024-04-29")
    assert column in lines[0] and all("expected" in line or "correct" in line for line in lines)


@pytest.mark.parametrize("name", DECIDED)
def test_it_is_decided_upon(name: str, released: "World", builders: dict[str, Any]) -> None:
    change, decision, signal, words = DECIDED[name]
    lay(released, builders, change)
    released.run("ingest", "validate", "featurize", "gate", until="2024-04-29", off="label decay" if signal else "")
    found = released.json("decision")
    told = [one["reason"] for one in found["signals"] if one["name"] == signal] if signal else found["reasons"]
    assert found["decision"] == decision, found["reasons"]
    assert any(words in reason for reason in told), told


often = "CASE WHEN orders.at < TIMESTAMP '2024-04-01' OR orders.id % 2 = 0 THEN"


@pytest.mark.parametrize(
    ("price", "decision"),
    [
        (f"{often} round(orders.price)::INT END", "retrain"),
        (f"{often} orders.price ELSE 'inf'::DOUBLE END", "retrain"),
        ("round(orders.price)::INT", "keep"),
    ],
    ids=["integers and nulls", "infinities of the SQL", "integers"],
)
def test_what_the_sql_makes_of_it_is_decided_upon(price: str, decision: str, stored: "World") -> None:
    stored.edit("features.sql", ("orders.price", f"{price} AS price"))
    stored.run("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
    stored.run("ingest", "validate", "featurize", "gate", until="2024-04-29")
    found = stored.json("decision")
    (price_signal,) = [one for one in found["signals"] if one["name"] == "drift of price"]
    assert found["decision"] == decision, found["reasons"]
    assert (price_signal["detail"]["null_shift"] > 0.4) == (decision == "retrain")
