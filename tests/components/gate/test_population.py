"""Both sides of a comparison are defined alike, wherever labels lack: the gate keeps when only labels lack."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tidegate.components.train.log import log_training
from tidegate.contract.contract import read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.record import Record

if TYPE_CHECKING:
    from tests.toy import World

Builders = dict[str, Callable[..., pd.DataFrame]]
random = np.random.default_rng(3)


def with_a_feature(orders: pd.DataFrame) -> pd.DataFrame:
    """A third of the orders lack price and label."""
    lost = random.random(len(orders)) < 0.33
    return orders.assign(price=orders["price"].mask(lost), kept_days=orders["kept_days"].mask(lost))


def by_slice(orders: pd.DataFrame) -> pd.DataFrame:
    """Most orders from the south lack a label."""
    lost = (orders["shop"] == "south") & (random.random(len(orders)) < 0.8)
    return orders.assign(kept_days=orders["kept_days"].mask(lost))


def by_time(orders: pd.DataFrame) -> pd.DataFrame:
    """Orders of the weekend are dearer and lack a label."""
    weekend = pd.to_datetime(orders["at"]).dt.dayofweek >= 5
    return orders.assign(price=orders["price"] + 40 * weekend, kept_days=orders["kept_days"].mask(weekend))


def integers(orders: pd.DataFrame) -> pd.DataFrame:
    return orders.assign(kept_days=orders["kept_days"].astype("Int64"))


def drifts(world: "World", signal: str = "features") -> dict[str, Any]:
    decision = world.json("decision")
    return {one["column"]: one["detail"] for one in decision["signals"] if one["signal"] == signal}


def released(stored: "World", orders: pd.DataFrame) -> None:
    """A champion of these orders; whether it deserves to serve is another matter."""
    stored.lay(orders=integers(orders))
    stored.run("ingest", "validate", "featurize", "gate", "train", "evaluate")
    assert stored.json("verdict")["accepted"], stored.json("verdict")["reasons"]


def _as_before(world: "World") -> None:
    """Log the model with the record and the reference sample that earlier versions wrote."""
    sample = world.table("reference/reference")
    sample = sample[sample["returned"].notna()]
    sample.to_parquet(world / "reference/reference.parquet")
    record = replace(Record.read(world / "record.json"), reference="labelled rows")
    record.write(world / "record.json")
    assert "reference" not in world.json("record")
    names = ("features.sql", "contract.yaml", "model.yaml", "model.skops", "record.json")
    files = {name: world / name for name in names} | {"reference.parquet": world / "reference/reference.parquet"}
    contract = read_contract(world / "contract.yaml")
    log_training(contract, Batch.read(world / "batch.json"), record, files, sample)


@pytest.mark.parametrize("lose", [with_a_feature, by_slice, by_time])
def test_labels_that_lack_as_ever_are_no_drift(
    lose: Callable[[pd.DataFrame], pd.DataFrame], stored: "World", builders: Builders
) -> None:
    released(stored, lose(builders["orders"]()))
    stored.run("deploy")
    stored.run("ingest", "validate", "featurize", "gate", until="2024-04-29")
    decision = stored.json("decision")
    assert decision["decision"] == "keep", decision["reasons"]
    assert decision["compared"]["population"] == "all rows"
    for name, detail in {**drifts(stored), **drifts(stored, "predictions"), **drifts(stored, "label")}.items():
        assert detail["score"] <= detail["chance"], (name, detail)
    assert abs(drifts(stored)["price"]["null_shift"]) < 0.1
    assert "labelled or not; of label and loss, labelled rows with labelled rows" in (stored / "gate.html").read_text()


def test_more_labels_that_lack_with_a_feature_are_drift_of_the_feature(stored: "World", builders: Builders) -> None:
    orders = builders["orders"]()
    released(stored, orders)
    stored.run("deploy")
    late = orders["at"] >= "2024-04-01"
    stored.lay(orders=integers(orders.where(~late, with_a_feature(orders))))
    stored.run("ingest", "validate", "featurize", "gate", until="2024-04-29")
    found = drifts(stored)["price"]
    assert found["score"] > found["chance"] and found["null_shift"] > 0.25


def test_a_reference_of_labelled_rows_is_compared_with_labelled_rows(stored: "World", builders: Builders) -> None:
    released(stored, with_a_feature(builders["orders"]()))
    _as_before(stored)
    stored.run("deploy")
    stored.run("ingest", "validate", "featurize", "gate", until="2024-04-29")
    decision, price = stored.json("decision"), drifts(stored)["price"]
    assert (decision["decision"], decision["compared"]["population"]) == ("keep", "labelled rows")
    assert (price["null_shift"], price["score"] <= price["chance"]) == (0.0, True)
    labelled = decision["window"]["labelled_rows"]
    assert decision["compared"]["batch_rows"] <= labelled < decision["window"]["rows"]
    stored.run("gate", minimum_rows=labelled + 1)
    told = f"{labelled} labelled rows are too few to tell drift from chance (gate.minimum_rows {labelled + 1})"
    assert told in stored.json("decision")["reasons"]
